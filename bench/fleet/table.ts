/** The tables in which a bench of fleets ends. */
import { median, printTable } from '../support.ts';
import type { Cost, TimedQuery, Watched } from './measure.ts';

const SLOWEST_SHOWN = 5;
const KB = 1000;
const MIB = 1024 * 1024;

export interface Result {
  readonly nodes: number;
  readonly version: string;
  readonly cost: Cost;
  readonly bytes: { readonly plain: readonly number[]; readonly gzip: readonly number[] };
  /** The same Prometheus with the same past and rules, and nothing to scrape. */
  readonly idle: Watched;
  readonly loaded: Watched;
  readonly queries: readonly TimedQuery[];
}

/** The figures, a column for each result, and what stands behind those of the queries. */
export function printResults(all: readonly Result[]): void {
  printTable([
    ['Prometheus', ...all.map(({ version }) => version)],
    ['nodes', ...all.map(({ nodes }) => String(nodes))],
    [
      "series of a node, Prometheus' own five too, median / most",
      ...all.map(({ cost }) => `${cost.series.median} / ${cost.series.max}`),
    ],
    ['bytes of a scrape, median / most, KB', ...all.map(({ bytes }) => span(bytes.plain, KB))],
    ['the same compressed, KB', ...all.map(({ bytes }) => span(bytes.gzip, KB))],
    [
      'series in the head, by the node',
      ...all.map(({ cost, nodes }) => (cost.headSeries / nodes).toFixed(1)),
    ],
    ['samples a second', ...all.map(({ cost }) => cost.samplesPerSecond.toFixed(0))],
    ['resident without the fleet, MiB', ...all.map(({ idle }) => mib(idle.last.residentBytes))],
    [
      'resident with it, last / peak, MiB',
      ...all.map(({ loaded }) => `${mib(loaded.last.residentBytes)} / ${mib(loaded.peakBytes)}`),
    ],
    ['more by the node, last / peak, KiB', ...all.map(moreByNode)],
    [
      'Go heap in use, without / with, MiB',
      ...all.map(({ idle, loaded }) => `${mib(idle.last.heapBytes)} / ${mib(loaded.last.heapBytes)}`),
    ],
    ['CPU of Prometheus, of a core', ...all.map(({ loaded }) => `${(100 * loaded.cpu).toFixed(1)} %`)],
    ['targets / that did not answer', ...all.map(({ cost }) => `${cost.scraped} / ${cost.silent}`)],
    ['fewest scrapes of a node in 3 minutes, of 12', ...all.map(({ cost }) => String(cost.fewestScrapes))],
    [
      'duration of a scrape, median / p99, ms',
      ...all.map(
        ({
          cost: {
            scrapeSeconds: { median: half, p99 },
          },
        }) => `${ms(half * 1000)} / ${ms(p99 * 1000)}`,
      ),
    ],
    ['from scrape to scrape, p99, s', ...all.map(({ cost }) => cost.intervalSeconds.toFixed(2))],
    ['evaluation of the rules, ms', ...all.map(({ cost }) => ms(cost.rulesSeconds * 1000))],
    ['evaluations missed / failed', ...all.map(({ cost }) => `${cost.rulesMissed} / ${cost.rulesFailed}`)],
    [
      'slowest query, median / most, ms',
      ...all.map(({ queries: [slowest] }) => (slowest ? timing(slowest) : '-')),
    ],
    [
      'longest that any query took, ms',
      ...all.map(({ queries }) => ms(Math.max(...queries.map(({ maxMs }) => maxMs)))),
    ],
  ]);
  for (const result of all) printDetails(result);
}

function printDetails({ nodes, version, queries, cost }: Result): void {
  console.log(
    `\nPrometheus ${version}, ${nodes} nodes: the slowest of ${queries.length} queries (median / most, ms; series)\n`,
  );
  printTable(queries.slice(0, SLOWEST_SHOWN).map((one) => [one.name, timing(one), String(one.series)]));
  console.log('\nall one after the other, sum of the medians, ms\n');
  const groups = [...new Set(queries.map(({ group }) => group))];
  printTable(
    groups.map((group) => {
      const medians = queries.filter((query) => query.group === group).map(({ medianMs }) => medianMs);
      return [`${group} (${medians.length})`, ms(medians.reduce((total, one) => total + one, 0))];
    }),
  );
  const empty = queries.filter(({ series, mayBeEmpty }) => series === 0 && !mayBeEmpty);
  console.log(`\nempty though they must not be: ${empty.map(({ name }) => name).join(', ') || 'none'}`);
  console.log('\nseries in the head by metric, of a node\n');
  printTable(cost.byMetric.map(({ name, perNode }) => [name, perNode.toFixed(2)]));
}

function moreByNode({ idle, loaded, nodes }: Result): string {
  const more = (bytes: number) => ((bytes - idle.last.residentBytes) / nodes / 1024).toFixed(0);
  return `${more(loaded.last.residentBytes)} / ${more(loaded.peakBytes)}`;
}

function timing({ medianMs, maxMs }: TimedQuery): string {
  return `${ms(medianMs)} / ${ms(maxMs)}`;
}

function span(bytes: readonly number[], unit: number): string {
  return `${(median(bytes) / unit).toFixed(1)} / ${(Math.max(...bytes) / unit).toFixed(1)}`;
}

function ms(milliseconds: number): string {
  return milliseconds.toFixed(milliseconds < 10 ? 1 : 0);
}

export function mib(bytes: number): string {
  return (bytes / MIB).toFixed(0);
}
