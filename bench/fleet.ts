/**
 * What a fleet costs a real Prometheus that scrapes it with the shipped rules: series and bytes of a node, memory, and
 * the time of every query of rules and dashboards. All on loopback; the machine does the work of both sides.
 *
 *   node bench/fleet.ts [--nodes 1000,5000] [--minutes 6] [--release 2.42,3]
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Programs, programs, RELEASES } from '../test/prometheus/lib/programs.ts';
import { Prometheus } from '../test/prometheus/lib/server.ts';
import { Fleet } from './fleet/fleet.ts';
import { costOf, scrapeBytes, timeQueries, watch } from './fleet/measure.ts';
import { makePast } from './fleet/past.ts';
import { queriesToTime } from './fleet/queries.ts';
import { startFleet } from './fleet/serving.ts';
import { mib, printResults, type Result } from './fleet/table.ts';
import { printHeading } from './support.ts';

const RULES = join(import.meta.dirname, '..', 'deploy', 'prometheus', 'rules.yaml');
const INTERVAL_SECONDS = 15;
const HOUR_MS = 3_600_000;
/** How much of the past there is, for queries over a range. */
const PAST_MS = 6 * HOUR_MS;
/** At half of the story as many nodes have moved as have not: tables of stragglers are long then. */
const STORY_MS = 2 * PAST_MS;
/** Of a cluster with four X-ENIs, the most that EKS gives one. */
const SEED = 6;
const IDLE_MS = 30_000;
/** The nodes whose scrapes are weighed. */
const WEIGHED = 250;

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000,5000' },
    minutes: { type: 'string', default: '6' },
    release: { type: 'string', default: '2.42' },
  },
});
const releases = values.release.split(',').map((name) => {
  const release = RELEASES.find((one) => one.name === name);
  if (release !== undefined) return release;
  throw new RangeError(`Cannot measure with release "${name}": there are ${RELEASES.map((one) => one.name)}`);
});
const results: Result[] = [];
for (const release of releases) {
  const using = await programs(release);
  for (const nodes of values.nodes.split(',').map(Number)) results.push(await measure(using, nodes));
}
printHeading(
  `A fleet, scraped each ${INTERVAL_SECONDS} s for ${values.minutes} minutes by a real Prometheus`,
);
printResults(results);

async function measure(using: Programs, nodes: number): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'eks-bench-fleet-'));
  const say = (text: string) => console.error(`Prometheus ${using.version}, ${nodes} nodes: ${text}`);
  try {
    say('making the past');
    const endMs = Date.now();
    const story = { seed: SEED, startMs: endMs - PAST_MS, durationMs: STORY_MS };
    const span = { startMs: story.startMs, endMs, stepMs: INTERVAL_SECONDS * 1000 };
    const data = await makePast({ programs: using, folder, story, ...span });
    const idleData = join(folder, 'idle');
    await cp(data, idleData, { recursive: true });

    await using fleet = await startFleet({ ...story, nodes });
    say('without them');
    const idle = await (async () => {
      await using prometheus = await Prometheus.start(using, { config: configOf(null), data: idleData });
      return await watch(prometheus, IDLE_MS, () => {});
    })();

    await using prometheus = await Prometheus.start(using, { config: configOf(fleet.url), data });
    let minute = 0;
    const loaded = await watch(prometheus, Number(values.minutes) * 60_000, ({ residentBytes }, runsMs) => {
      if (runsMs < (minute + 1) * 60_000) return;
      minute++;
      say(`${minute} min, ${mib(residentBytes)} MiB resident`);
    });
    const cost = await costOf(prometheus, { nodes, intervalSeconds: INTERVAL_SECONDS });
    const weighed = Array.from({ length: Math.min(WEIGHED, nodes) }, (_, nth) => nth);
    const bytes = await scrapeBytes(fleet.url, weighed);
    say('its queries');
    const [node] = new Fleet({ ...story, nodes: 1 }).nodes;
    const asked = { node: node?.name ?? '', intervalSeconds: INTERVAL_SECONDS, rangeSeconds: PAST_MS / 1000 };
    const queries = await timeQueries(prometheus, queriesToTime(asked));
    return { nodes, version: using.version, cost, bytes, idle, loaded, queries };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function configOf(fleet: string | null): object {
  const every = `${INTERVAL_SECONDS}s`;
  return {
    global: { scrape_interval: every, evaluation_interval: every },
    rule_files: [RULES],
    scrape_configs:
      fleet === null
        ? []
        : [
            { job_name: 'eks-endpoint-exporter', http_sd_configs: [{ url: `${fleet}/targets` }] },
            {
              job_name: 'kube-state-metrics',
              metrics_path: '/kube-state-metrics',
              static_configs: [{ targets: [fleet.replace('http://', '')] }],
            },
          ],
  };
}
