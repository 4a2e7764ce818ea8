/**
 * A fleet whose metrics are written down minute by minute, with what is to be seen at some of them: it becomes one test
 * for `promtool test rules`.
 */
import { ATTRIBUTIONS, GATE_STATES, NODE_ROUTES } from '../../src/model/status.ts';
import { type Check, formatTest, type Sample } from './promtool-test.ts';

/** What is the case on one node. Everything that its exporter says follows from it. */
interface NodeFacts {
  /** The exporter answers. */
  answers: boolean;
  /** The exporter can read whose sockets there are. */
  sees: boolean;
  expected: 'any' | 'public' | 'x-eni';
  dns: 'public' | 'x-eni';
  /** Where kubelet is connected. */
  connected: 'public' | 'x-eni';
  /** The X-ENIs let it in. */
  admitted: boolean;
}

/** `--stale-after`. */
const STALE_AFTER_MINUTES = 10;

export class Timeline {
  readonly #nodes: ReadonlyMap<string, NodeFacts>;
  readonly #series = new Map<string, Sample[]>();
  readonly #flippedAt = new Map<string, number>();
  readonly #checks: Check[] = [];
  #minute = 0;

  constructor(nodes: number) {
    this.#nodes = new Map(
      Array.from({ length: nodes }, (_, index) => [
        `n${String(index + 1).padStart(2, '0')}`,
        { answers: true, sees: true, expected: 'any', dns: 'public', connected: 'public', admitted: true },
      ]),
    );
  }

  /** Changes nodes, those given by their numbers or all: from this minute on. */
  change(
    facts: Partial<NodeFacts>,
    nodes: readonly [first: number, last: number] = [1, this.#nodes.size],
  ): void {
    const [first, last] = nodes;
    for (const one of [...this.#nodes.values()].slice(first - 1, last)) Object.assign(one, facts);
  }

  /** Time passes until this minute; it is not played yet itself. */
  until(minute: number): void {
    for (; this.#minute < minute; this.#minute += 1) this.#play();
  }

  /** At the last minute played: the alerts that are firing, all of them, each with its nodes; and values of queries. */
  expect(firing: Check['firing'], records: Check['records'] = {}): void {
    this.#checks.push({ minute: this.#minute - 1, firing, records });
  }

  /** The test, for rules in this file. */
  toPromtool(rulesFile: string, name: string): string {
    return formatTest({ rulesFile, name, series: this.#series, checks: this.#checks });
  }

  #play(): void {
    for (const [node, facts] of this.#nodes) {
      if (facts.dns === 'public') this.#flippedAt.delete(node);
      else if (!this.#flippedAt.has(node)) this.#flippedAt.set(node, this.#minute);
      const target = `cluster="blue", job="eks-endpoint-exporter", instance="${node}:10943", node="${node}"`;
      this.#sample(`up{${target}}`, Number(facts.answers));
      if (!facts.answers) continue;
      for (const [name, value] of Object.entries(this.#exposed(node, facts))) {
        this.#sample(`eks_endpoint_${withLabels(name, target)}`, value);
      }
    }
  }

  /** What the agent says then, by name and labels: what is unknown is absent. */
  #exposed(node: string, facts: NodeFacts): Readonly<Record<string, number>> {
    const { sees, expected, dns, connected, admitted } = facts;
    const staleSince = connected === dns ? undefined : this.#flippedAt.get(node);
    const isStaleForLong =
      staleSince !== undefined && connected !== expected && this.#minute - staleSince >= STALE_AFTER_MINUTES;
    const isFree = dns === 'x-eni' && connected === 'x-eni' && admitted;
    return {
      ...oneHot((route) => `node_route{route="${route}"}`, NODE_ROUTES, sees ? connected : 'unknown'),
      ...oneHot((mode) => `attribution{mode="${mode}"}`, ATTRIBUTIONS, sees ? 'process' : 'address'),
      ...oneHot(
        (state) => `gate{gate="private-ready", state="${state}"}`,
        GATE_STATES,
        admitted ? 'true' : 'false',
      ),
      ...oneHot(
        (state) => `gate{gate="public-free", state="${state}"}`,
        GATE_STATES,
        isFree ? (sees ? 'true' : 'unknown') : 'false',
      ),
      'finding{code="Blind", severity="warning"}': Number(!sees),
      'finding{code="XEniUnreachable", severity="critical"}': Number(!admitted),
      'finding{code="DnsPublic", severity="warning"}': Number(expected === 'x-eni' && dns === 'public'),
      'finding{code="DnsFailing", severity="warning"}': 0,
      last_scan_timestamp_seconds: this.#minute * 60,
      ...(expected === 'any' ? {} : { [`expected_route{route="${expected}"}`]: 1 }),
      ...(sees && {
        'finding{code="StaleConnection", severity="warning"}': Number(isStaleForLong),
        'stale_connections{client="kubelet"}': Number(staleSince !== undefined),
        ...(staleSince !== undefined && {
          'stale_connection_oldest_timestamp_seconds{client="kubelet"}': staleSince * 60,
        }),
      }),
    };
  }

  #sample(series: string, value: number): void {
    const samples = this.#series.get(series) ?? [];
    while (samples.length < this.#minute) samples.push(null);
    samples.push(value);
    this.#series.set(series, samples);
  }
}

function oneHot(
  name: (value: string) => string,
  values: readonly string[],
  current: string,
): Readonly<Record<string, number>> {
  return Object.fromEntries(values.map((value) => [name(value), Number(value === current)]));
}

/** `a{b="c"}` with more labels; and `a`, which has none yet. */
function withLabels(series: string, labels: string): string {
  return series.includes('{') ? series.replace('{', `{${labels}, `) : `${series}{${labels}}`;
}
