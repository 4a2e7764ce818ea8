/** What the tests beside a real Prometheus need of the machine. */
import { describeWith } from '../../e2e/lib/tools.ts';

export const describeWithPrometheus = describeWith('Prometheus', {
  'apt-get': 'apt',
  dnsmasq: 'dnsmasq-base',
  ip: 'iproute2',
  nsenter: 'util-linux',
  openssl: 'openssl',
  prometheus: 'prometheus',
  'prometheus-alertmanager': 'prometheus-alertmanager',
  promtool: 'prometheus',
  setpriv: 'util-linux',
  unshare: 'util-linux',
});
