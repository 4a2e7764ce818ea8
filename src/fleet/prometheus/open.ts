/** What Prometheus knows of a fleet. */
import type { FleetObservation } from '../../model/fleet/observation.ts';
import type { Clock } from '../../model/observation.ts';
import type { SendRequest } from '../../net/http.ts';
import type { FleetSource, ObserveOptions, PrometheusTarget } from '../source.ts';
import { makeAgent, readCredentials } from './access.ts';
import { addConnections, addFindings, addVersions, collectTargets, type Targets } from './answers.ts';
import { PrometheusClient } from './client.ts';
import { findExporters } from './exporters.ts';
import { type KubeNode, ofSilentTellers, readKubeNodes } from './kube-nodes.ts';
import { BUILD } from './metrics.ts';
import { listNodes } from './nodes.ts';
import { formatMatcher, makeQueries, type Queries } from './queries.ts';
import type { Sample } from './vector.ts';

interface Tools {
  readonly request: SendRequest;
  readonly readFile: (path: string) => Promise<string>;
  readonly clock: Clock;
}

/** Asks with a query of that name. */
type Ask = (query: keyof Queries) => Promise<readonly Sample[]>;

/**
 * Before which every scrape has ended: what stores series apart may show half of one that has not. Prometheus' own time-out is 10 s,
 * and what is sent on comes later.
 */
const SETTLED_SECONDS = 15;

/**
 * Where one target was scraped so often all were: once in each interval, in any order, and of one that does not answer that is known
 * a time-out later. Before, a Prometheus that begins anew knows some of its targets, and says nothing of the others.
 */
const LEAST_SCRAPES = 3;

export async function openPrometheus(
  target: PrometheusTarget,
  { request, readFile, clock }: Tools,
): Promise<FleetSource> {
  const agent = await makeAgent(target, readFile);
  await readCredentials(target, readFile);
  const queries = makeQueries(target.matchers);

  return {
    async observe(options: ObserveOptions): Promise<FleetObservation> {
      const headers = await readCredentials(target, readFile);
      const round = new AbortController();
      const signal = AbortSignal.any([options.signal, round.signal]);
      const client = new PrometheusClient(target, { request, agent, headers, signal });
      const at = new Date(clock().wallMs).toISOString();
      try {
        const seen = await observeWith(client, queries, target);
        return { source: sourceText(target), at, ...seen };
      } finally {
        // Where one query fails the others end too. Connections are kept for a round: an old one may be closed under the next.
        round.abort();
        agent.destroy();
      }
    },
    close: () => agent.destroy(),
  };
}

/** All queries of a round are of one moment, told by the server. */
async function observeWith(
  client: PrometheusClient,
  queries: Queries,
  target: PrometheusTarget,
): Promise<Pick<FleetObservation, 'nodesFrom' | 'nodes' | 'notes'>> {
  const nowSeconds = (await client.query(queries.now, null))[0]?.value ?? Number.NaN;
  const { targets, atSeconds, notes } = await askTargets(client, queries, nowSeconds);
  const ask: Ask = (query) => client.query(queries[query], atSeconds);
  // What is large comes one after the other, what is small beside it.
  const [exporters, kube] = await Promise.all([
    ask('silent').then(async (silent) => findExporters(targets, silent, await ask('gone'))),
    askKubeNodes(ask, target),
    targets.size === 0 ? undefined : addDetails(targets, ask),
  ]);
  if (exporters.answered.length + exporters.silent.length + exporters.gone.length === 0)
    throw await nobodyThere(ask, target);
  if (kube.nodes === null && exporters.answered.length > 0) await mustKnowTargets(ask, target);
  const kubeLabels = kube.nodes === null ? [] : await ask('nodeLabels');
  const listed = listNodes({ exporters, kubeNodes: kube.nodes, kubeLabels, nowSeconds });
  return { ...listed, notes: [...notes, ...kube.notes, ...listed.notes] };
}

async function addDetails(targets: Targets, ask: Ask): Promise<void> {
  addFindings(targets, await ask('findings'));
  addConnections(targets, await ask('connections'));
  addVersions(targets, await ask('versions'));
}

interface Asked {
  readonly targets: Targets;
  /** When, for all later queries. */
  readonly atSeconds: number;
  readonly notes: readonly string[];
}

/** Where parts of two scrapes are to be seen, a moment ago they are not. What is still mixed counts by its last scrape. */
async function askTargets(client: PrometheusClient, queries: Queries, nowSeconds: number): Promise<Asked> {
  for (const atSeconds of [nowSeconds, nowSeconds - SETTLED_SECONDS]) {
    const targets = collectTargets(await client.query(queries.answers, atSeconds), atSeconds);
    const mixed = [...targets.values()].filter((one) => one.mixed).length;
    if (mixed === 0) return { targets, atSeconds, notes: [] };
    const notes = [
      `Prometheus shows parts of two scrapes of ${mixed === 1 ? 'a node' : `${mixed} nodes`}: what is not of the last one does not count.`,
    ];
    if (atSeconds !== nowSeconds) return { targets, atSeconds, notes };
  }
  throw new RangeError('there is no time to ask for');
}

async function askKubeNodes(
  ask: Ask,
  target: PrometheusTarget,
): Promise<{ readonly nodes: readonly KubeNode[] | null; readonly notes: readonly string[] }> {
  const now = readKubeNodes(await ask('nodes'));
  const before = readKubeNodes(await ask('nodesGone'));
  if (now.length === 0 && before.length === 0) {
    const [all] = target.matchers.length === 0 ? [] : await ask('nodesOfAll');
    const notes =
      all === undefined
        ? []
        : [
            `kube_node_info is there, but none of it with ${shownMatchers(target)}: which nodes have no exporter is not known.`,
          ];
    return { nodes: null, notes };
  }
  const kept = ofSilentTellers(before, now);
  if (kept.length === 0) return { nodes: now, notes: [] };
  const who =
    now.length === 0
      ? 'kube-state-metrics tells of no nodes now'
      : 'A kube-state-metrics tells of no nodes now, and no other tells of its own';
  return {
    nodes: [...now, ...kept],
    notes: [`${who}: those that it told of within the last hour are taken for still there.`],
  };
}

/** Where its targets say which nodes there are. */
async function mustKnowTargets(ask: Ask, target: PrometheusTarget): Promise<void> {
  const [scrapes] = await ask('scrapes');
  if (scrapes !== undefined && scrapes.value >= LEAST_SCRAPES) return;
  throw new Error(
    `Cannot tell anything yet by Prometheus at ${JSON.stringify(target.url)}: it has scraped no exporter ${LEAST_SCRAPES} times, and may not know all of its targets; ask again in a minute (--wait does), or let it scrape kube-state-metrics, which says which nodes there are`,
  );
}

async function nobodyThere(ask: Ask, target: PrometheusTarget): Promise<Error> {
  const [targets] = await ask('targets');
  const [elsewhere] = target.matchers.length === 0 ? [] : await ask('answersOfAll');
  const which = target.matchers.length === 0 ? '' : ` with ${shownMatchers(target)}`;
  const has =
    targets === undefined
      ? 'it has no targets at all'
      : `it has ${targets.value} targets, and none of them is an exporter`;
  const detail =
    elsewhere === undefined ? has : `without these matchers there are ${elsewhere.value} exporters`;
  const remedy =
    elsewhere === undefined
      ? 'see that it scrapes the exporters (deploy/prometheus/scrape), or ask the Prometheus that does'
      : 'see whether each --prometheus-matcher is as the labels of the series are';
  return new Error(
    `Cannot tell anything by Prometheus at ${JSON.stringify(target.url)}: there has been no ${BUILD.name}${which} within the last hour; ${detail}: ${remedy}`,
  );
}

/** With what leaves nodes out: a report says of whom it speaks. */
function sourceText(target: PrometheusTarget): string {
  const which = target.matchers.length === 0 ? '' : ` with ${shownMatchers(target)}`;
  return `Prometheus at ${target.url}${which}`;
}

function shownMatchers({ matchers }: PrometheusTarget): string {
  return `{${matchers.map(formatMatcher).join(', ')}}`;
}
