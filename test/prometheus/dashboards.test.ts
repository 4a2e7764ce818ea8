/** What the dashboards, the alerts and the recording rules ask, asked of a real Prometheus that watches a made fleet. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALERTS, RECORDING_RULES } from '../../scripts/monitoring/rules.ts';
import { DASHBOARDS, type DashboardQuery, queriesOf } from '../support/promql.ts';
import { expectedRowsOf, nodesWith, passingOf, routesOf } from './lib/fleet-truth.ts';
import { FleetWorld, type WorldOptions } from './lib/fleet-world.ts';
import { ask, valuesOf } from './lib/grafana.ts';
import { programs, RELEASES } from './lib/programs.ts';
import type { Prometheus, Sample } from './lib/server.ts';
import { describeWithPrometheus } from './lib/tools.ts';

const NODES = 40;
const [OLDEST] = RELEASES;
const QUERIES = DASHBOARDS.flatMap(queriesOf);

interface World extends WorldOptions {
  readonly name: string;
  /** Of the node of the Node dashboard. */
  readonly role: string;
}

/** Two moments, and two ways of scraping: with all that may be there, and with the least. */
const MIDDLE: World = {
  ...{ name: 'in the middle of the migration', nodes: NODES, share: 0.62, hours: 2.5 },
  ...{ cluster: 'play', kubeStateMetrics: true },
  role: 'never-moves',
};
const END: World = {
  ...{ name: 'at its end, without kube-state-metrics and without a label cluster' },
  ...{ nodes: NODES, share: 1, hours: 2.5, cluster: null, kubeStateMetrics: false, role: 'usual' },
};

/** Of a cluster without exporters: test/prometheus/panels.test.ts has one. */
const NONE_GONE = [
  'migration / Nodes not yet public-free / B',
  'migration / Nodes not yet private-ready / B',
];

/** The queries that give nothing there. */
const EMPTY = new Map<World, readonly string[]>([
  [MIDDLE, NONE_GONE],
  // Of kube-state-metrics; it gives something in the other world.
  [END, [...NONE_GONE, 'migration / Exporters / D']],
]);

/** Alerts that are a finding, or that no exporter answers. */
const FINDING_ALERTS = [
  'XEniUnreachable',
  'XEniIdentityMismatch',
  'DnsPublic',
  'DnsFailing',
  'ExporterMissing',
] as const;

/** Armed by a finished migration, which both worlds have not: test/prometheus/end-to-end.test.ts has one. */
const NOT_ARMED = ['EksEndpointDriftedBack'];

/** Says by itself that nothing is known. */
const SAYS_NOTHING_IS_KNOWN = ['migration / Alerts / A'];

describeWithPrometheus('a real Prometheus that watches a fleet', () => {
  const cleanUp = new AsyncDisposableStack();
  const worlds = new Map<string, Promise<FleetWorld>>();
  /** Made once, for both releases. */
  const makeWorld = async (options: World) =>
    cleanUp.use(await FleetWorld.make(options, await programs(OLDEST)));
  const worldOf = (options: World): Promise<FleetWorld> => {
    const making = worlds.get(options.name) ?? makeWorld(options);
    worlds.set(options.name, making);
    return making;
  };
  afterAll(() => cleanUp.disposeAsync());

  for (const release of RELEASES.filter(({ name }) => name !== '2.53')) {
    for (const options of [MIDDLE, END]) {
      describe(`Prometheus ${release.name}, ${options.name}`, () => {
        let world: FleetWorld;
        let prometheus: Prometheus;
        beforeAll(async () => {
          world = await worldOf(options);
          prometheus = cleanUp.use(await world.watch(await programs(release)));
        });
        afterAll(() => prometheus[Symbol.asyncDispose]());

        const askFor = async (query: DashboardQuery) => {
          const node = world.fleet.nodes.find(({ role }) => role === options.role)?.name ?? '';
          const chosen = options.cluster === null ? { node } : { node, cluster: options.cluster };
          const values = await valuesOf(query.dashboard, prometheus, chosen);
          const range = { start: world.start, end: Date.now() / 1000, step: 15 };
          return ask(prometheus, query, { values, range });
        };
        /** The values of a panel's query, by the given label. */
        const byLabel = async (where: string, label: string) =>
          new Map((await instant(where)).map(({ labels, value }) => [labels[label] ?? '', value]));
        const instant = async (where: string): Promise<readonly Sample[]> =>
          (await askFor(queryAt(where))).flatMap((each) => ('value' in each ? [each] : []));

        test.for(QUERIES)('$dashboard / $panel / $refId', async (query) => {
          const isEmpty = EMPTY.get(options)?.includes(whereOf(query)) ?? false;
          expect((await askFor(query)).length > 0).toBe(!isEmpty);
          if (isEmpty) expect(query.emptyWhen).not.toBeNull();
        });

        test.for(ALERTS)('the query of $name', async ({ name, query }) => {
          expect((await prometheus.query(query)).length > 0).toBe(!NOT_ARMED.includes(name));
        });

        test.for(RECORDING_RULES)('$record is recorded', async ({ record }) => {
          // What needs an hour of another needs some seconds here.
          await prometheus.daemon.eventually(async () => {
            expect((await prometheus.query(record)).length).toBeGreaterThan(0);
          });
        });

        test('no rule fails', async () => {
          const failing = (await prometheus.rules()).filter(({ health }) => health !== 'ok');
          expect(failing).toEqual([]);
        });

        test.for(FINDING_ALERTS)('EksEndpoint%s fires for the nodes that have it', (code) =>
          prometheus.daemon.eventually(async () => {
            const query = `ALERTS{alertname="EksEndpoint${code}",alertstate="firing"}`;
            const nodes = (await prometheus.query(query)).map(({ labels }) => labels['node']);
            const truth = await nodesWith(world.fleet, code);
            expect(nodes.sort()).toEqual([...truth].sort());
            // In the middle there is one of each.
            if (options === MIDDLE) expect(truth.length).toBeGreaterThan(0);
          }),
        );

        test('each node has one route, or does not answer', () =>
          prometheus.daemon.eventually(async () => {
            const routes = await byLabel('migration / The nodes now: Nodes by route / A', 'route');
            const silent = (await byLabel('migration / The nodes now: Nodes by route / B', '')).get('') ?? 0;
            expect([...routes.values()].reduce((sum, count) => sum + count, silent)).toBe(NODES);
            const truth = await routesOf(world.fleet);
            for (const [route, count] of routes) expect(truth.get(route) ?? 0, route).toBe(count);
            expect(silent).toBe(truth.get('no answer') ?? 0);
          }));

        test('the stragglers are the nodes that have something to say, each with the worst of it', () =>
          prometheus.daemon.eventually(async () => {
            const rows = await instant('migration / Stragglers / A');
            const expected = await expectedRowsOf(world.fleet);
            const nodes = new Set([...rows.map(({ labels }) => labels['node'] ?? ''), ...expected.keys()]);
            for (const node of nodes) {
              const codes = rows
                .filter(({ labels }) => labels['node'] === node)
                .map(({ labels }) => labels['code']);
              const possible = expected.get(node) ?? [];
              expect(new Set(codes).size, `${node} has the rows ${codes}, not one of ${possible}`).toBe(1);
              expect(possible, node).toContain(codes[0]);
            }
          }));

        test.for(['public-free', 'private-ready'] as const)('nodes not yet %s, of all', (gate) =>
          prometheus.daemon.eventually(async () => {
            const passing = await passingOf(world.fleet, gate);
            const [tile, ...others] = await instant(`migration / Nodes not yet ${gate} / A`);
            expect(others).toEqual([]);
            expect(tile?.value).toBe(NODES - passing);
            expect(tile?.labels).toMatchObject({ passing: String(passing), all: String(NODES) });
          }),
        );
      });
    }

    describe(`Prometheus ${release.name}, without exporters`, () => {
      const resultsOf = async (prometheus: Prometheus) => {
        const end = Date.now() / 1000;
        const results = new Map<string, readonly unknown[]>();
        for (const query of QUERIES) {
          const values = await valuesOf(query.dashboard, prometheus, {});
          const range = { start: end - 3600, end, step: 15 };
          results.set(whereOf(query), await ask(prometheus, query, { values, range }));
        }
        return results;
      };
      const missing = (prometheus: Prometheus, alerts: number) =>
        prometheus.daemon.eventually(async () => {
          const firing = await prometheus.query('ALERTS{alertstate="firing"}');
          expect(firing.map(({ labels }) => labels['alertname'])).toEqual(
            Array(alerts).fill('EksEndpointExporterMissing'),
          );
        });

      test('where nothing is known, nothing is said', async () => {
        const world = await worldOf(END);
        const options = { kubeStateMetrics: false };
        await using prometheus = await world.watchWithoutExporters(await programs(release), options);
        await missing(prometheus, 1);
        const said = [...(await resultsOf(prometheus))].filter(([, result]) => result.length > 0);
        expect(said.map(([where]) => where)).toEqual(SAYS_NOTHING_IS_KNOWN);
      });

      test('with kube-state-metrics alone every node is missed, and none has moved', async () => {
        const world = await worldOf(MIDDLE);
        const options = { kubeStateMetrics: true };
        await using prometheus = await world.watchWithoutExporters(await programs(release), options);
        // One for each node, and one that says that there are none at all.
        await missing(prometheus, NODES + 1);
        // A row leads to its node: Grafana would put another in the place of one that is not among the values.
        const [first] = world.fleet.nodes;
        await valuesOf('node', prometheus, { cluster: 'play', node: first?.name ?? '' });
        const results = await resultsOf(prometheus);
        const tile = { value: NODES, labels: { passing: '0', all: String(NODES) } };
        expect(results.get('migration / Nodes not yet public-free / A')).toMatchObject([tile]);
        expect(results.get('migration / Nodes not yet private-ready / A')).toMatchObject([tile]);
        expect(results.get('migration / Share of nodes on the X-ENIs / A')).toMatchObject([{ value: 0 }]);
        expect(results.get('migration / The nodes now: Nodes by route / A')).toEqual([]);
        expect(results.get('migration / The nodes now: Nodes by route / B')).toMatchObject([
          { value: NODES },
        ]);
        const rows = results.get('migration / Stragglers / A') ?? [];
        expect(rows).toEqual(
          Array(NODES).fill(
            expect.objectContaining({ labels: expect.objectContaining({ code: 'ExporterMissing' }) }),
          ),
        );
      });
    });
  }
});

function whereOf({ dashboard, panel, refId }: DashboardQuery): string {
  return `${dashboard} / ${panel} / ${refId}`;
}

function queryAt(where: string): DashboardQuery {
  const found = QUERIES.find((query) => whereOf(query) === where);
  if (found === undefined) throw new Error(`Cannot find "${where}" in the dashboards`);
  return found;
}
