/** What users see, as files: `npm run test:update` writes them anew, and the change is reviewed as a diff. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCheck } from '../src/commands/check.ts';
import { writeProcTree } from '../src/demo/proc-tree.ts';
import { NODE_ROUTES, type NodeStatus } from '../src/model/status.ts';
import { renderMetrics } from '../src/output/metrics.ts';
import { renderPage } from '../src/output/page.ts';
import { makeAgent } from './support/agent.ts';
import { configOf } from './support/invocation.ts';
import { makeNode, SCENARIOS, treeOf } from './support/made-node.ts';
import { settings } from './support/observation.ts';
import {
  answering,
  failing,
  SELF_USAGE,
  servingSlice,
  steppedClock,
  testRuntime,
} from './support/runtime.ts';

const HOSTNAME = '0123456789ABCDEF0123456789ABCDEF.gr7.ap-northeast-2.eks.amazonaws.com';
const CA = readFileSync(join(import.meta.dirname, 'fixtures/tls/ca.crt'), 'utf8');
const SETTINGS = settings({
  probeIntervalMs: 60_000,
  version: '0.0.0',
  expect: 'x-eni',
  service: null,
});

/** What DMI lacks, whoever is asked tells. */
const MACHINE = { kernel: '6.12.40', arch: 'x64', vendor: 'Amazon EC2', model: 'm7i.large' };

/** Looks at a made node until the story is told: where DNS flips, before and after, then past --stale-after. */
async function statusOf(name: string): Promise<NodeStatus> {
  const { clock, step } = steppedClock();
  const scenario = SCENARIOS.find((one) => one.name === name);
  const root = makeNode(scenario === undefined ? {} : treeOf(scenario));
  let answer = scenario === undefined ? failing : answering(scenario.dns.outside);
  const { agent, errors } = makeAgent(root, {
    settings: SETTINGS,
    given: { hostname: HOSTNAME, port: 443 },
    options: { readsSlice: true, service: { host: '10.100.0.1', port: 443 }, outsideResolver: '8.8.8.8' },
    machine: { ...MACHINE, model: null },
    edges: {
      askMachine: async () => ({ ...MACHINE, vendor: 'never shown' }),
      resolve: (hostname) => answer(hostname),
      resolveAt: (server) => answering(scenario?.dns.outside ?? [], 60, server),
      readFile: async (path) => (path.endsWith('ca.crt') ? CA : 'token'),
      ...(scenario === undefined ? {} : { request: servingSlice(scenario.xEni) }),
    },
    clock,
  });
  await agent.refreshSources();
  await agent.look();
  if (scenario !== undefined) {
    answer = answering(scenario.dns.node);
    step(60_000);
    await agent.refreshSources();
    await agent.look();
    step(601_000);
    if (name.startsWith('moved')) writeProcTree(root, treeOf(scenario));
    await agent.refreshSources();
    await agent.look();
    for (let looks = 0; looks < 2; looks++) {
      step(10_000);
      await agent.look();
    }
  }
  await agent.look();
  agent.stop();
  expect(errors).toEqual([]);
  const status = agent.status();
  if (status === null) throw new Error('no look has ended');
  return status;
}

const CASES = ['public-node-1', 'flipped-not-moved', 'moved-node-1', 'no-kubelet'];

test.each(CASES)('the metrics of %s', async (name) => {
  const { type, body } = await renderMetrics(await statusOf(name), SELF_USAGE);
  expect(type).toBe('text/plain; version=0.0.4; charset=utf-8');
  await expect(body).toMatchFileSnapshot(`golden/${name}.metrics.txt`);
});

test.concurrent.each(CASES)('what check prints for %s', async (name) => {
  const scenario = SCENARIOS.find((one) => one.name === name);
  const resolve = scenario === undefined ? failing : answering(scenario.dns.node);
  const runtime = testRuntime({
    clock: steppedClock().clock,
    resolve,
    askMachine: async () => MACHINE,
    readFile: async (path) => (path.endsWith('ca.crt') ? CA : 'token'),
  });
  const node = makeNode(scenario === undefined ? {} : treeOf(scenario));
  const flags = ['--expect=x-eni', '--vpc-cidr=192.168.0.0/16', '--node-name=ip-192-168-1-204'];
  await runCheck(configOf('check', `--endpoint=${HOSTNAME}`, `--path.procfs=${node}`, ...flags), runtime);
  await expect(runtime.out.join('')).toMatchFileSnapshot(`golden/${name}.check.txt`);
});

test.each(CASES)('the JSON of %s', async (name) => {
  await expect(`${JSON.stringify(await statusOf(name), null, 2)}\n`).toMatchFileSnapshot(
    `golden/${name}.status.json`,
  );
});

test('the page of flipped-not-moved', async () => {
  const status = await statusOf('flipped-not-moved');
  const page = renderPage(status, Date.parse(status.observedAt) + 2_000);
  await expect(page).toMatchFileSnapshot('golden/flipped-not-moved.html');
});

test('each golden status is on its route', async () => {
  const routes = await Promise.all(CASES.map(async (name) => (await statusOf(name)).route));
  expect(routes).toEqual(['public', 'public', 'x-eni', 'unknown']);
  expect(NODE_ROUTES).toEqual(expect.arrayContaining(routes));
});
