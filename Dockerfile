# Build: docker build -t REGISTRY/eks-endpoint-exporter:0.1.0 .     (or podman, buildah)
# For both architectures: docker buildx build --platform linux/amd64,linux/arm64 ...

# Both can be replaced by mirrors or others of the same kind; test/image builds this very file on bases made locally.
ARG BUILD_IMAGE=docker.io/library/node:26-trixie-slim
# Node at /nodejs/bin/node, its libraries, certificates; no shell, no package manager.
ARG RUNTIME_IMAGE=gcr.io/distroless/nodejs26-debian13

# The bundle is JavaScript, the same for every architecture: built once, on the builder's own, without emulation.
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
# "env" for the first line of main.js, and the link makes a command of it, for `kubectl exec ... check`.
RUN REVISION=$REVISION node scripts/build.ts \
 && sed -i '1s|^#!/usr/bin/env node$|#!/nodejs/bin/node|' dist/main.js \
 && mkdir -p root/usr/local/bin \
 && cp -r dist root/app \
 && cp LICENSE root/app/ \
 && ln -s /app/main.js root/usr/local/bin/eks-endpoint-exporter

FROM ${RUNTIME_IMAGE}
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
# For a small heap (bench/image.ts compares): less is inlined, and V8 keeps no threads of its own beside the one that works.
# No --max-old-space-size: at 32 MB the agent died of a kubelet with 18,000 sockets. V8's limit follows the container's.
ENTRYPOINT ["/nodejs/bin/node", "--optimize-for-size", "--single-threaded", "/app/main.js"]
CMD ["agent"]
