/** What DNS answers, and the X-ENIs with their probes. */
import { type NodeStatus, ROUTES } from '../../model/status.ts';
import { styleOfRoute } from '../terminal.ts';
import { type Span, span } from './spans.ts';
import { ago, isSmall, type NodeView, nowOf, words } from './view.ts';

export function dnsText({ dns }: NodeStatus): string {
  return dns?.addresses?.map(({ address, route }) => `${address} ${route}`).join() ?? '';
}

export function dnsParts(view: NodeView): readonly Span[] {
  const { dns } = view.last;
  if (dns === null || dns.lookups === 0) return [span('not asked yet', 'yellow')];
  const { addresses, success, ttlSeconds, resolvedAt, changedAt } = dns;
  if (addresses === null) return [span('no answer', 'yellow')];
  if (isSmall(view)) {
    const routes = ROUTES.map((route) => ({
      route,
      count: addresses.filter((one) => one.route === route).length,
    }))
      .filter(({ count }) => count > 0)
      .flatMap(({ route, count }) => [span(`, ${count} `), span(route, styleOfRoute(route))]);
    const changed = changedAt === null ? '' : `, changed ${ago(view, changedAt)} ago`;
    const life = ttlSeconds === null ? 'TTL unknown' : `TTL ${ttlSeconds} s`;
    return [span(`${success ? '' : 'old, '}${life}`), ...routes, span(changed)];
  }
  const ageSeconds = resolvedAt === null ? null : (nowOf(view) - Date.parse(resolvedAt)) / 1000;
  const ttl =
    ttlSeconds === null || ageSeconds === null
      ? ''
      : `TTL ${ttlSeconds} s (${Math.max(0, Math.ceil(ttlSeconds - ageSeconds))} left), `;
  const changed = changedAt === null ? 'no change seen' : `changed ${ago(view, changedAt)} ago`;
  return [
    ...addresses.flatMap(({ address, route }) => [
      span(`${address} `),
      span(route, styleOfRoute(route)),
      span(' '),
    ]),
    ...(success ? [] : [span('an old answer ', 'yellow')]),
    ...words(ttl + changed),
  ];
}

export function xEniText({ xEni, probes }: NodeStatus): string {
  return (xEni?.addresses ?? [])
    .map(({ address }) => `${address} ${probes?.find((probe) => probe.address === address)?.success}`)
    .join();
}

/** Those that do not answer first. */
export function xEniParts(view: NodeView): readonly Span[] {
  const { xEni, probes } = view.last;
  const known = (xEni?.addresses ?? []).map(({ address }) => ({
    address,
    probe: probes?.find((one) => one.address === address),
  }));
  if (known.length === 0) return [span('none known', 'yellow')];
  const rest = known.filter(({ probe }) => !probe?.success);
  const parts = [...rest, ...known.filter(({ probe }) => probe?.success)].flatMap(({ address, probe }) => {
    const answer =
      probe === undefined
        ? span('not probed', 'yellow')
        : probe.success
          ? span('answers', 'green')
          : span(`fails at ${probe.failedStage}`, 'red');
    return [span(`${address} `), answer, span('  ')];
  });
  const count = `${known.length - rest.length} of ${known.length} answer`;
  return isSmall(view) ? [span(count, rest.length === 0 ? 'green' : 'yellow'), span('  '), ...parts] : parts;
}
