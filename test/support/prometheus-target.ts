/** What `--prometheus=URL` makes, with nothing else given. */
import type { PrometheusTarget } from '../../src/fleet/source.ts';

export function prometheusTarget(url: string, more: Partial<PrometheusTarget> = {}): PrometheusTarget {
  return {
    kind: 'prometheus',
    url,
    matchers: [],
    bearerTokenFile: null,
    username: null,
    passwordFile: null,
    caFile: null,
    certFile: null,
    keyFile: null,
    ...more,
  };
}
