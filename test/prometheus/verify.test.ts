/** `verify --prometheus`: the built program, and real Prometheus servers over made fleets. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fleet } from '../../bench/fleet/fleet.ts';
import { writeHistory } from '../../bench/fleet/history.ts';
import { backfill } from '../../bench/fleet/past.ts';
import type { FleetStatus, NodeVerdict } from '../../src/model/fleet/status.ts';
import { run } from '../e2e/lib/command.ts';
import { programs, RELEASES } from './lib/programs.ts';
import { Prometheus } from './lib/server.ts';
import { describeWithPrometheus } from './lib/tools.ts';
import {
  fleetAt,
  kubeNodes,
  type MadeCluster,
  type MadeTarget,
  targetsOf,
  VerifyWorld,
} from './lib/verify-world.ts';

const PROGRAM = join(import.meta.dirname, '..', '..', 'dist', 'main.js');
const COMPUTE_TYPE = 'label_eks_amazonaws_com_compute_type';
const FARGATE = 'fargate-ip-10-0-14-20.ap-northeast-2.compute.internal';

interface Verified {
  readonly code: number | null;
  readonly stderr: string;
  readonly status: FleetStatus;
}

async function verify(prometheus: Prometheus, ...flags: readonly string[]): Promise<Verified> {
  const args = ['verify', `--prometheus=${prometheus.daemon.url}`, '--output=json', ...flags];
  const { code, stdout, stderr } = await run(process.execPath, [PROGRAM, ...args]);
  return { code, stderr, status: JSON.parse(stdout) };
}

/** Those that do not pass, with their verdict. */
function othersOf({ status }: Verified): readonly string[] {
  return status.nodes
    .filter(({ verdict }) => verdict !== 'pass')
    .map(({ node, verdict }) => `${node} ${verdict}`);
}

/** What each node has to be, by its own status. */
async function truthOf(fleet: Fleet): Promise<ReadonlyMap<string, NodeVerdict>> {
  const verdicts = { true: 'pass', false: 'fail', unknown: 'unknown' } as const;
  const now = Date.now();
  const all = fleet.nodes.map(async ({ name }, index) => {
    const answers = (await fleet.metricsOf(index, now)) !== null;
    const state = fleet.statusOf(index, now).gates.find(({ gate }) => gate === 'public-free')?.state;
    return [name, answers && state !== undefined ? verdicts[state] : 'unknown'] as const;
  });
  return new Map(await Promise.all(all));
}

function verdictsOf({ status }: Verified): ReadonlyMap<string, NodeVerdict> {
  return new Map(status.nodes.map(({ node, verdict }) => [node, verdict] as const).sort());
}

/** A fleet of which every node has moved, and what is said of it. */
const fleet = fleetAt(0.97, { nodes: 3, specials: false });
const targets = targetsOf(fleet);
const names = fleet.nodes.map(({ name }) => name);
const kube = [kubeNodes(names)];
const [first = ''] = names;
const NEW = 'ip-10-0-99-1.ap-northeast-2.compute.internal';

/** In the middle of it, and before it. */
const middle = fleetAt(0.5, { nodes: 40 });
const before = targetsOf(fleetAt(0.1, { nodes: 1, specials: false }));

/** The same, with something else in the place of the first. */
function withFirst(change: (target: MadeTarget) => MadeTarget): readonly MadeTarget[] {
  return targets.map((target, index) => (index === 0 ? change(target) : target));
}

/** The same, with what the first says edited; null: it answers with an error. */
function withFirstSaying(edit: (metrics: string) => string | null): readonly MadeTarget[] {
  return withFirst((target) => edited(target, edit));
}

function edited(target: MadeTarget, edit: (metrics: string) => string | null): MadeTarget {
  return {
    ...target,
    metrics: async () => {
      const metrics = await target.metrics();
      return metrics === null ? null : edit(metrics);
    },
  };
}

const down = withFirstSaying(() => null);
const foreign = withFirstSaying(() => 'node_load1 0.5\n');
const elsewhere = { instance: '10.9.9.9:10943' };

function makeClusters(): Readonly<Record<string, MadeCluster>> {
  return {
    moved: { targets, kube },
    'moved-alone': { targets },
    replicas: { targets, kube: [...kube, ...kube] },
    nameless: {
      targets: targets.map((one) => ({ ...one, labels: { instance: one.labels.instance } })),
      kube,
    },
    other: {
      targets: targets.map((one) =>
        edited(one, (text) => text.replace(/hostname="[^.]+/g, 'hostname="other')),
      ),
      kube,
    },
    middle: { targets: targetsOf(middle), kube: [kubeNodes(middle.nodes.map(({ name }) => name))] },
    before: { targets: before },
    missing: { targets, kube: [kubeNodes([...names, NEW])] },
    stray: {
      targets: [...targets, { labels: { ...elsewhere, node: NEW }, metrics: async () => null }],
      kube,
    },
    down: { targets: down, kube },
    'down-alone': { targets: down },
    never: { targets: targets.map((one) => edited(one, () => null)) },
    foreign: { targets: foreign, kube },
    'foreign-alone': { targets: foreign },
    'no-state': {
      targets: withFirstSaying((text) =>
        text.replace('gate="public-free",state="true"} 1', 'gate="public-free",state="true"} 0'),
      ),
    },
    'two-routes': {
      targets: withFirstSaying((text) =>
        text.replace('node_route{route="public"} 0', 'node_route{route="public"} 1'),
      ),
    },
    'no-endpoint': { targets: withFirstSaying((text) => text.replace(/^eks_endpoint_info.*$/m, '')) },
    fargate: {
      targets,
      kube: [kubeNodes([...names, FARGATE, 'pod-1'], { 'pod-1': { [COMPUTE_TYPE]: 'fargate' } })],
    },
    hybrid: {
      targets: [...targets, ...before.map((one) => ({ ...one, labels: { ...elsewhere, node: 'mi-1' } }))],
      kube: [kubeNodes([...names, 'mi-1'], { 'mi-1': { [COMPUTE_TYPE]: 'hybrid' } })],
    },
    twins: {
      targets: [
        ...targets,
        ...targets.slice(0, 1).map((one) => ({ ...one, labels: { ...elsewhere, node: first } })),
      ],
      kube,
    },
    misnamed: { targets: withFirst((one) => ({ ...one, labels: { ...elsewhere, node: 'pod-a' } })), kube },
    gone: { targets },
    'gone-kube': { targets, kube },
    silent: { targets, kube: [kubeNodes([...names, NEW])] },
    'half-silent': { targets, kube: [...kube, kubeNodes([NEW])] },
    'half-gone': { targets, kube: [...kube, kubeNodes([NEW])] },
    deleted: { targets, kube: [kubeNodes([...names, NEW])] },
  };
}

/** What changes while Prometheus looks. */
function change({ clusters }: VerifyWorld): void {
  const stay = targets.slice(1);
  // Targets leave; whether their nodes have left too only kube-state-metrics knows.
  clusters.set('gone', { targets: stay });
  clusters.set('gone-kube', { targets: stay, kube: [kubeNodes(names.slice(1))] });
  // The one that has told of a node more fails, and one of two, and one is no target any more; a fourth tells of it no more.
  clusters.set('silent', { targets, kube: [null] });
  clusters.set('half-silent', { targets, kube: [...kube, null] });
  clusters.set('half-gone', { targets, kube });
  clusters.set('deleted', { targets, kube });
}

describeWithPrometheus('verify tells by Prometheus', () => {
  describe.each(RELEASES.filter(({ name }) => name !== '2.53'))('$name', (release) => {
    const resources = new AsyncDisposableStack();
    let prometheus: Prometheus;
    let world: VerifyWorld;

    beforeAll(async () => {
      world = resources.use(await VerifyWorld.serve(makeClusters()));
      prometheus = resources.use(await world.watch(await programs(release)));
    });
    afterAll(() => resources.disposeAsync());

    const ask = (cluster: string, ...flags: readonly string[]) =>
      verify(prometheus, `--prometheus-matcher=cluster="${cluster}"`, ...flags);

    test.each(['moved', 'moved-alone', 'replicas', 'nameless', 'other'])(
      'every node has moved: %s',
      async (cluster) => {
        const verified = await ask(cluster);
        expect(verified).toMatchObject({ code: 0, status: { verdict: 'pass' } });
        expect(verified.stderr).toMatch(/^PASS: [^\n]*\n$/);
        expect(verified.status.nodes.map(({ node }) => node).sort()).toEqual([...names].sort());
        expect(verified.status.nodesFrom).toBe(cluster === 'moved-alone' ? 'targets' : 'kube-state-metrics');
        expect(verified.status.endpoints).toHaveLength(1);
        expect(await ask(cluster, '--min-nodes=4')).toMatchObject({ code: 2 });
      },
    );

    test('in the middle of the migration: who has not moved, and what to do', async () => {
      const verified = await ask('middle');
      const truth = await truthOf(middle);
      expect(new Set(truth.values())).toEqual(new Set(['pass', 'fail', 'unknown']));
      expect(verified).toMatchObject({ code: 1, status: { verdict: 'fail' } });
      expect(verdictsOf(verified)).toEqual(new Map([...truth].sort()));
      const stale = verified.status.nodes.filter(({ causes }) => causes.includes('StaleConnection'));
      expect(stale.length).toBeGreaterThan(0);
      for (const { remedy, connections } of stale) {
        expect(remedy).toMatch(/\w/);
        expect(connections).not.toEqual([]);
        for (const { route, staleSeconds } of connections) {
          expect(route).toBe('public');
          // DNS has flipped at a fifth of the 20 hours, and it is half past.
          expect(Math.abs((staleSeconds ?? 0) / 3600 - 6)).toBeLessThan(0.1);
        }
      }
    });

    test('before it: nobody has moved, and everybody could', async () => {
      expect(await ask('before')).toMatchObject({ code: 1 });
      expect(await ask('before', '--gate=private-ready')).toMatchObject({ code: 0 });
    });

    test.each([
      ...['down', 'down-alone', 'foreign', 'foreign-alone'],
      ...['no-state', 'two-routes', 'no-endpoint'],
    ])('one node tells nothing that counts: %s', async (cluster) => {
      const verified = await ask(cluster);
      expect(verified).toMatchObject({
        code: 2,
        status: { verdict: 'unknown', counts: { nodes: 3, pass: 2 } },
      });
      expect(othersOf(verified)).toEqual([`${first} unknown`]);
    });

    test('no exporter has ever answered: each is named', async () => {
      const verified = await ask('never');
      expect(verified).toMatchObject({ code: 2, status: { counts: { nodes: 3, unknown: 3 } } });
      expect(verified.stderr).toMatch(/^CANNOT TELL: [^\n]*\n$/);
      expect(verified.status.nodes.map(({ node }) => node).sort()).toEqual([...names].sort());
    });

    test.each([
      ['a node without an exporter', 'missing'],
      ['an exporter that is down, on a node that kube-state-metrics does not know', 'stray'],
    ])('%s', async (_, cluster) => {
      const verified = await ask(cluster);
      expect(verified).toMatchObject({ code: 2, status: { counts: { pass: 3 } } });
      expect(othersOf(verified)).toEqual([`${NEW} unknown`]);
      expect(await ask(cluster, '--ignore-fargate', '--ignore-gone')).toMatchObject({ code: 2 });
    });

    test('nodes on Fargate', async () => {
      const verified = await ask('fargate');
      expect(verified).toMatchObject({ code: 2 });
      expect(othersOf(verified)).toEqual([`${FARGATE} unknown`, 'pod-1 unknown']);
      const without = await ask('fargate', '--ignore-fargate');
      expect(without).toMatchObject({ code: 0, status: { counts: { pass: 3 } } });
      expect(othersOf(without)).toEqual([`${FARGATE} ignored`, 'pod-1 ignored']);
    });

    test.each(['eks.amazonaws.com/compute-type', COMPUTE_TYPE])(
      'hybrid nodes, picked out by %s',
      async (key) => {
        const verified = await ask('hybrid');
        expect(verified).toMatchObject({ code: 1 });
        expect(othersOf(verified)).toEqual(['mi-1 fail']);
        expect(await ask('hybrid', `--gate-for=${key}=hybrid=private-ready`)).toMatchObject({
          code: 0,
          status: { counts: { nodes: 4, pass: 4 } },
        });
        expect(await ask('hybrid', `--gate-for=${key}=auto=private-ready`)).toMatchObject({ code: 1 });
      },
    );

    test('two speak for one node', async () => {
      const verified = await ask('twins');
      expect(verified).toMatchObject({ code: 2 });
      expect(othersOf(verified)).toEqual([`${first} unknown`]);
      expect(verified.status.nodes[0]?.reason).toContain('10.9.9.9:10943');
    });

    test('an exporter under a wrong name is no answer for its node', async () => {
      const verified = await ask('misnamed');
      expect(verified).toMatchObject({ code: 2, status: { counts: { nodes: 4, pass: 3 } } });
      expect(othersOf(verified)).toEqual([`${first} unknown`]);
      expect(verified.status.notes.join()).toContain('"pod-a"');
    });

    test('two clusters', async () => {
      const both = await verify(prometheus, '--prometheus-matcher=cluster=~"moved|other"');
      expect(both).toMatchObject({ code: 2, status: { verdict: 'unknown' } });
      const hosts = both.status.endpoints.map(({ hostname }) => hostname.split('.')[0]);
      expect(hosts.sort()).toEqual(['0123456789abcdef0123456789abcdef', 'other']);
      // Nor where the endpoint is one: each name is there twice.
      expect(await verify(prometheus, '--prometheus-matcher=cluster=~"moved|replicas"')).toMatchObject({
        code: 2,
      });
    });

    test('no exporter at all', async () => {
      const verified = await ask('nobody');
      expect(verified).toMatchObject({ code: 2, status: { verdict: 'unknown', counts: { nodes: 0 } } });
      expect(verified.stderr).toMatch(
        /^CANNOT TELL: Cannot tell anything by Prometheus at .+\{cluster="nobody"\}.+without these matchers there are \d+ exporters/,
      );
    });

    test('a matcher that Prometheus does not take', async () => {
      const verified = await verify(prometheus, '--prometheus-matcher=cluster=~"("');
      expect(verified).toMatchObject({ code: 2, status: { verdict: 'unknown' } });
      expect(verified.stderr).toMatch(
        /^CANNOT TELL: Cannot ask Prometheus at .+bad_data.+see whether each --prometheus-matcher/,
      );
    });

    // The last one: the world is another one then.
    test('targets and kube-state-metrics that go', async () => {
      change(world);
      await prometheus.daemon.eventually(async () => {
        const still = [
          `up{cluster=~"gone.*", node="${first}"}`,
          `kube_node_info{cluster=~"silent|half-silent|half-gone|deleted", node="${NEW}"}`,
        ];
        for (const query of still) expect(await prometheus.query(query), query).toEqual([]);
      });
      const gone = await ask('gone');
      expect(gone).toMatchObject({ code: 2 });
      expect(othersOf(gone)).toEqual([`${first} unknown`]);
      expect(await ask('gone', '--ignore-gone')).toMatchObject({
        code: 0,
        status: { counts: { pass: 2, ignored: 1 } },
      });
      expect(await ask('gone-kube')).toMatchObject({ code: 0, status: { counts: { nodes: 2, pass: 2 } } });
      for (const cluster of ['silent', 'half-silent', 'half-gone']) {
        const verified = await ask(cluster, '--ignore-gone');
        expect(verified, cluster).toMatchObject({ code: 2, status: { nodesFrom: 'kube-state-metrics' } });
        expect(othersOf(verified), cluster).toEqual([`${NEW} unknown`]);
        expect(verified.status.notes.join(), cluster).toContain('kube-state-metrics');
      }
      expect(await ask('deleted')).toMatchObject({ code: 0, status: { counts: { nodes: 3, pass: 3 } } });
    });
  });
});

describeWithPrometheus('verify tells of a large fleet', () => {
  const large = fleetAt(0.97, { nodes: 5_150 });
  const resources = new AsyncDisposableStack();
  let data = '';
  let truth: ReadonlyMap<string, NodeVerdict> = new Map();

  // One scrape of each, all at once: Prometheus needs a minute to make as many.
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'eks-verify-'));
    resources.defer(() => rm(folder, { recursive: true, force: true }));
    data = join(folder, 'data');
    const atMs = Date.now();
    const history = writeHistory(large, { startMs: atMs, endMs: atMs, stepMs: 1 });
    await backfill(await programs(RELEASES[0]), data, history);
    truth = await truthOf(large);
  });
  afterAll(() => resources.disposeAsync());

  test.each(RELEASES.filter(({ name }) => name !== '2.53'))('$name', async (release) => {
    const own = `${data}-${release.name}`;
    await cp(data, own, { recursive: true });
    await using prometheus = await Prometheus.start(await programs(release), { config: {}, data: own });
    const flags = ['--ignore-fargate', '--max-age=4m'];
    const verified = await verify(prometheus, ...flags);
    const nodes = new Map([...verdictsOf(verified)].filter(([name]) => !name.startsWith('fargate-')));
    expect(verified).toMatchObject({ code: 1, status: { counts: { nodes: 5_152, ignored: 2 } } });
    expect(verified.stderr).toMatch(/^FAIL: [^\n]*\n$/);
    expect(nodes).toEqual(new Map([...truth].sort()));

    const left = [...truth].filter(([, verdict]) => verdict !== 'pass').map(([name]) => name);
    expect(left.length).toBeGreaterThan(50);
    const without = `--prometheus-matcher=node!~"${left.map((name) => name.replaceAll('.', '[.]')).join('|')}"`;
    const passing = await verify(prometheus, ...flags, without);
    const count = 5_150 - left.length;
    expect(count).toBeGreaterThanOrEqual(5_000);
    expect(passing).toMatchObject({
      code: 0,
      status: { verdict: 'pass', counts: { pass: count, ignored: 2 } },
    });

    // They answered some seconds ago.
    expect(await verify(prometheus, ...flags, without, '--max-age=1s')).toMatchObject({
      code: 2,
      status: { counts: { pass: 0, unknown: count } },
    });
  });
});
