# docker build --build-arg REVISION=$(git rev-parse --short=12 HEAD) -t REGISTRY/eks-endpoint-exporter:0.1.0 .
# docker wants BuildKit (its default), and for both architectures buildx: --platform linux/amd64,linux/arm64

# Both can be replaced by mirrors, or others of the same kind with Node 25 or newer (ENTRYPOINT's flags). test/image builds
# this very file on bases made locally.
ARG BUILD_IMAGE=docker.io/library/node:26-trixie-slim
# Node at /nodejs/bin/node, its libraries, certificates; no shell, no package manager.
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs26-debian13

# The bundle is JavaScript, the same for every architecture: built on the builder's own, without emulation. podman 4 and
# buildah 1.28 leave BUILDPLATFORM empty: for another architecture give them --build-arg BUILDPLATFORM=linux/amd64.
FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No install scripts: the build needs none. A registry of your own: docker build --secret id=npmrc,src=$HOME/.npmrc
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --ignore-scripts --no-audit --no-fund
COPY LICENSE ./
COPY scripts scripts
COPY src src
# The commit, where no git can say it.
ARG REVISION=unknown
# Types, lint and tests are `npm test`; this is only what ships, laid out as it will lie. The runtime image has no
# "env" for the first line of main.js, and the link makes a command of it, for `kubectl exec ... check`. Without the client for
# kubeconfigs: in a pod `verify --kubernetes` needs none.
RUN REVISION=$REVISION node scripts/build.ts --without-kubernetes-client \
 && sed -i '1s|^#!/usr/bin/env node$|#!/nodejs/bin/node|' dist/main.js \
 && mkdir -p root/usr/local/bin \
 && cp -r dist root/app \
 && cp LICENSE root/app/ \
 && ln -s /app/main.js root/usr/local/bin/eks-endpoint-exporter \
 && chmod -R u=rwX,go=rX root

# Said, or podman 4 takes this base for the build's architecture too, once the stage above has one of its own.
FROM --platform=$TARGETPLATFORM ${RUNTIME_IMAGE}
ARG RUNTIME_IMAGE
# package.json's; a test holds them together.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="eks-endpoint-exporter" \
      org.opencontainers.image.description="Says whether an EKS node reaches its control plane over public addresses or over the X-ENIs in the VPC" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${RUNTIME_IMAGE}"
COPY --from=build /build/root /
# The kernel lets uid 0 alone read whose a socket is (with SYS_PTRACE), and Kubernetes gives no capability to another uid.
# What uid 0 may do beyond that, daemonset.yaml takes away.
USER 0
EXPOSE 10943
# For a small heap, by bench/image.ts: 26 MiB of anonymous memory instead of 37. No --max-old-space-size: with 32 MB the
# agent died of a kubelet with 18,000 sockets.
# And a second fence, in Node: the agent starts no program and writes no file, though the kernel would let uid 0 with SYS_PTRACE
# do so on the whole node, by /proc/1/root. What `kubectl exec` starts, by the link above, has none of these flags.
ENTRYPOINT ["/nodejs/bin/node", "--optimize-for-size", "--single-threaded", \
    "--permission", "--allow-net", "--allow-fs-read=*", "--disable-warning=ExperimentalWarning", \
    "/app/main.js"]
CMD ["agent"]
