/** What the tests on a cluster need of the machine; Go as well, where its programs are not built yet. */
import { describeWith } from '../../e2e/lib/tools.ts';

export const describeOnCluster = describeWith('cluster', {
  buildah: 'buildah',
  dnsmasq: 'dnsmasq-base',
  hostname: 'hostname',
  ip: 'iproute2',
  iptables: 'iptables',
  mmdebstrap: 'mmdebstrap',
  nft: 'nftables',
  npm: 'npm, or Node.js from its makers',
  nsenter: 'util-linux',
  openssl: 'openssl',
  podman: 'podman',
  runc: 'runc',
  unshare: 'util-linux',
});
