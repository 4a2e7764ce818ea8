import { describe, expect, onTestFinished, test } from 'vitest';
import { agentLooks, type Looks, ownLooks } from '../../src/commands/looks.ts';
import { createLog } from '../../src/log.ts';
import type { NodeStatus } from '../../src/model/status.ts';
import { sendRequest } from '../../src/net/http.ts';
import { renderJson } from '../../src/output/json.ts';
import { configOf } from '../support/invocation.ts';
import { makeNode } from '../support/made-node.ts';
import { steppedClock, testRuntime } from '../support/runtime.ts';
import { looksAt, STEPS } from '../support/watched.ts';
import { answering, startWebServer } from '../support/web-server.ts';

const SILENT_LOG = createLog({ level: 'error', format: 'logfmt', write: () => {}, now: () => new Date(0) });

/** What was told, in order: routes, and in brackets why nobody answered. */
class Told {
  readonly all: string[] = [];
  readonly onStatus = ({ route }: NodeStatus): void => void this.all.push(route);
  readonly onSilence = (problem: string): void => void this.all.push(`(${problem})`);

  async until(count: number): Promise<readonly string[]> {
    while (this.all.length < count) await new Promise((resolve) => setTimeout(resolve, 10));
    return this.all;
  }
}

interface Followed {
  readonly told: Told;
  readonly looks: Looks;
}

async function follow(url: string, parts: Parameters<typeof testRuntime>[0] = {}): Promise<Followed> {
  const told = new Told();
  const runtime = testRuntime({ request: sendRequest, ...parts });
  const { onStatus, onSilence } = told;
  const config = configOf('watch', `--agent=${url}`);
  const looks = await agentLooks(url, { config, runtime, onStatus, onSilence });
  onTestFinished(() => looks.stop());
  looks.start();
  return { told, looks };
}

test('own looks go on by themselves until they are stopped', async () => {
  const told = new Told();
  const config = configOf('watch', '--endpoint=api.example', `--path.procfs=${makeNode({})}`);
  const looks = ownLooks(config, testRuntime(), { log: SILENT_LOG, ...told, onStatus: told.onStatus });
  expect(looks.status()).toBe(null);
  looks.start();
  expect(await told.until(2)).toEqual(['unknown', 'unknown']);
  expect(looks.status()?.route).toBe('unknown');
  looks.stop();
});

describe('those of an agent', () => {
  const [first, second] = looksAt(STEPS.public, STEPS.moved);
  const json = (status: NodeStatus | undefined) => (status === undefined ? '' : renderJson(status));

  test('are asked for each interval', async () => {
    const server = await startWebServer(answering(200, json(first)));
    const { told } = await follow(server.url);
    await told.until(1);
    server.answer = answering(200, json(second));
    expect((await told.until(2)).slice(0, 2)).toEqual(['public', second?.route]);
  });

  test('another node behind the same address is not the one that is watched: nothing is known of that until it answers', async () => {
    const server = await startWebServer(answering(200, json(first)));
    const { told, looks } = await follow(server.url);
    await told.until(1);
    server.answer = answering(200, json(second && { ...second, node: 'ip-192-168-9-9' }));
    const silent = `(${server.url} answers for another node now, "ip-192-168-9-9", and not for "ip-192-168-1-204")`;
    expect((await told.until(3)).slice(0, 3)).toEqual(['public', silent, silent]);
    expect(looks.status()?.node).toBe('ip-192-168-1-204');
    server.answer = answering(200, json(second));
    expect((await told.until(4))[3]).toBe(second?.route);
  });

  test('a look from before the last one is a copy of an answer, and tells nothing', async () => {
    const server = await startWebServer(answering(200, json(second)));
    const { told } = await follow(server.url);
    await told.until(1);
    server.answer = answering(200, json(first));
    expect((await told.until(2))[1]).toBe(
      `(${server.url} answers with a look from before the last one, of ${first?.observedAt}: it is a copy, or that machine's clock was set back; then begin anew)`,
    );
  });

  test('nobody there is told too, and asked again', async () => {
    const { told } = await follow('http://127.0.0.1:9');
    expect(await told.until(2)).toEqual(Array(2).fill(expect.stringContaining('the connection was refused')));
  });

  test('a status that stays the same is old after a while, however young it says it is', async () => {
    const { clock, step } = steppedClock();
    const server = await startWebServer(answering(200, json(second)));
    const { told, looks } = await follow(server.url, { clock });
    await told.until(1);
    step(15_000);
    expect(looks.status()?.route).toBe(second?.route);
    step(1);
    expect(looks.status()).toMatchObject({ route: 'unknown', findings: [{ code: 'Blind' }] });
    expect(looks.status()?.gates.map(({ state }) => state)).toEqual(['unknown', 'unknown']);
  });

  test('after it is stopped nobody is asked, and what was under way is no news', async () => {
    const server = await startWebServer(() => {});
    const { told, looks } = await follow(server.url);
    while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    looks.stop();
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(told.all).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });
});
