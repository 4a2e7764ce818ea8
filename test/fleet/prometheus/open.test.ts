import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openPrometheus } from '../../../src/fleet/prometheus/open.ts';
import { makeQueries, type Queries } from '../../../src/fleet/prometheus/queries.ts';
import type { LabelMatcher, PrometheusTarget } from '../../../src/fleet/source.ts';
import { messageOf } from '../../../src/model/errors.ts';
import { sendRequest } from '../../../src/net/http.ts';
import { prometheusTarget } from '../../support/prometheus-target.ts';
import { realClock } from '../../support/runtime.ts';
import { startWebServer } from '../../support/web-server.ts';

const NOW = 1_795_000_000.5;
const OPTIONS = { signal: new AbortController().signal, onProgress: () => undefined };
const CLUSTER: readonly LabelMatcher[] = [{ name: 'cluster', op: '=', value: 'a' }];

type Row = readonly [Readonly<Record<string, string>>, number];
/** What it answers, by the name of the query; by its time where that counts. Nothing to what is not there. */
type Answers = Partial<Record<keyof Queries, readonly Row[] | ((time: string | null) => readonly Row[])>>;

interface Asked {
  readonly query: string;
  readonly time: string | null;
  readonly authorization: string | undefined;
}

async function startPrometheus(answers: Answers, matchers: readonly LabelMatcher[] = []) {
  const names = new Map(Object.entries(makeQueries(matchers)).map(([name, query]) => [query, name]));
  const asked: Asked[] = [];
  const { url } = await startWebServer(async (request, response) => {
    const form = new URLSearchParams(await text(request));
    const query = names.get(form.get('query') ?? '') ?? 'unknown';
    const time = form.get('time');
    asked.push({ query, time, authorization: request.headers.authorization });
    const found =
      Object.entries({ scrapes: [[{}, 3]], ...answers } satisfies Answers).find(
        ([name]) => name === query,
      )?.[1] ?? [];
    const rows = typeof found === 'function' ? found(time) : found;
    const data =
      query === 'now'
        ? { resultType: 'scalar', result: [NOW, String(NOW)] }
        : {
            resultType: 'vector',
            result: rows.map(([metric, value]) => ({ metric, value: [NOW, String(value)] })),
          };
    response.end(JSON.stringify({ status: 'success', data }));
  });
  return { url, asked };
}

async function observe(
  url: string,
  more: Partial<PrometheusTarget> = {},
  readFile: (path: string) => Promise<string> = async () => '',
) {
  const target = prometheusTarget(url, more);
  const source = await openPrometheus(target, { request: sendRequest, readFile, clock: realClock });
  onTestFinished(() => source.close());
  return source.observe(OPTIONS);
}

const target = (node: string) => ({ job: 'eks-endpoint-exporter', instance: `${node}:10943`, node });
const answerOf = (node: string, at = NOW - 5): readonly Row[] => [
  [{ ...target(node), route: 'x-eni' }, at],
  [{ ...target(node), gate: 'public-free', state: 'true' }, at],
  [{ ...target(node), hostname: 'abc', port: '443', source: 'flag' }, at],
];
const ofKube = (node: string, instance = 'k:8080') => ({ job: 'ksm', instance, node });
const seen = ({ nodes }: Awaited<ReturnType<typeof observe>>) =>
  nodes.map(
    ({ node, seen: of }) => `${node} ${of.kind === 'answer' ? of.gates.map(({ state }) => state) : of.why}`,
  );

describe('a round', () => {
  test('is of one moment, that of the server', async () => {
    const { url, asked } = await startPrometheus({ answers: answerOf('a') });
    const observation = await observe(url);
    expect(observation).toMatchObject({ source: `Prometheus at ${url}`, nodesFrom: 'targets', notes: [] });
    expect(observation.nodes).toMatchObject([
      { node: 'a', seen: { kind: 'answer', ageSeconds: 5, hostname: 'abc' } },
    ]);
    const [first, ...others] = asked;
    expect(first).toMatchObject({ query: 'now', time: null });
    expect(others.length).toBeGreaterThan(5);
    for (const { time, query } of others) expect(time, query).toBe(String(NOW));
    expect(asked.map(({ query }) => query)).not.toContain('unknown');
  });

  test('that shows parts of two scrapes is asked again, some seconds before', async () => {
    const half = [...answerOf('a').slice(0, 2), ...answerOf('a', NOW - 20).slice(2), ...answerOf('b')];
    const { url, asked } = await startPrometheus({
      answers: (time) =>
        time === String(NOW) ? half : [...answerOf('a', NOW - 20), ...answerOf('b', NOW - 25)],
    });
    const observation = await observe(url);
    expect(observation.nodes.map(({ seen: of }) => of.kind === 'answer' && of.ageSeconds)).toEqual([20, 25]);
    expect(observation.notes).toEqual([]);
    const times = asked.filter(({ query }) => query !== 'now' && query !== 'answers').map(({ time }) => time);
    expect(new Set(times)).toEqual(new Set([String(NOW - 15)]));
  });

  test('that goes on showing them says so, and takes nothing from the earlier one', async () => {
    const half = [...answerOf('a').slice(0, 1), ...answerOf('a', NOW - 20).slice(1)];
    const { url } = await startPrometheus({ answers: half.map(([labels, at]) => [labels, at - 15]) });
    const observation = await observe(url);
    expect(seen(observation)).toEqual(['a ']);
    expect(observation.notes).toEqual([
      'Prometheus shows parts of two scrapes of a node: what is not of the last one does not count.',
    ]);
  });

  test('of which one query fails ends, with what is under way', async () => {
    const server = await startWebServer(async (request, response) => {
      const query = new URLSearchParams(await text(request)).get('query') ?? '';
      const { now, answers, silent } = makeQueries([]);
      const result =
        query === answers ? answerOf('a').map(([metric, at]) => ({ metric, value: [at, `${at}`] })) : [];
      const data =
        query === now ? { resultType: 'scalar', result: [NOW, `${NOW}`] } : { resultType: 'vector', result };
      if (query === silent) response.writeHead(500).end('oh no');
      else if (query === now || query === answers) response.end(JSON.stringify({ status: 'success', data }));
      // All others get no answer.
    });
    await expect(observe(server.url)).rejects.toThrow(/ it answers 500: "oh no"; see its log$/);
    await vi.waitFor(() => expect(server.open.size).toBe(0));
  });

  test('reads the token anew', async () => {
    const { url, asked } = await startPrometheus({ answers: answerOf('a') });
    let tokens = 0;
    const source = await openPrometheus(prometheusTarget(url, { bearerTokenFile: '/token' }), {
      request: sendRequest,
      readFile: async () => `token-${++tokens}\n`,
      clock: realClock,
    });
    onTestFinished(() => source.close());
    await source.observe(OPTIONS);
    await source.observe(OPTIONS);
    expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer token-2', 'Bearer token-3']),
    );
  });

  test('a file that cannot be read is known before anything is asked', async () => {
    const { url, asked } = await startPrometheus({});
    const failing = async () => {
      throw new Error('EACCES: permission denied');
    };
    await expect(observe(url, { bearerTokenFile: '/token' }, failing)).rejects.toThrow(
      /^Cannot read "\/token"/,
    );
    expect(asked).toEqual([]);
  });
});

describe('who says which nodes there are', () => {
  const ofNodes = (...names: readonly string[]) => names.map((name): Row => [ofKube(name), NOW - 30]);

  test('kube-state-metrics, where it tells', async () => {
    const { url } = await startPrometheus({ answers: answerOf('a'), nodes: ofNodes('a', 'b') });
    const observation = await observe(url);
    expect(observation.nodesFrom).toBe('kube-state-metrics');
    expect(seen(observation)).toEqual(['a true', 'b no-exporter']);
  });

  test('deleted nodes are gone', async () => {
    const { url } = await startPrometheus({
      ...{ answers: answerOf('a'), nodes: ofNodes('a'), nodesGone: ofNodes('deleted') },
      gone: [[{ ...target('deleted'), version: '1', revision: 'r', node_version: 'v' }, 1]],
    });
    expect(seen(await observe(url))).toEqual(['a true']);
  });

  test('where it says nothing now, what it said within the last hour', async () => {
    const { url } = await startPrometheus({ answers: answerOf('a'), nodesGone: ofNodes('a', 'b') });
    const observation = await observe(url);
    expect(observation.nodesFrom).toBe('kube-state-metrics');
    expect(seen(observation)).toEqual(['a true', 'b no-exporter']);
    expect(observation.notes).toEqual([expect.stringMatching(/^kube-state-metrics tells of no nodes now: /)]);
  });

  test.each([
    ['tells nothing now: its nodes are there', ['b'], true],
    ['was made anew: its nodes are what the new one says', ['a', 'b'], false],
  ] as const)('one of two %s', async (_, before, isKept) => {
    const { url } = await startPrometheus({
      answers: answerOf('a'),
      nodes: ofNodes('a'),
      nodesGone: before.map((node): Row => [ofKube(node, 'k2:8080'), NOW - 600]),
    });
    const observation = await observe(url);
    expect(seen(observation)).toEqual(isKept ? ['a true', 'b no-exporter'] : ['a true']);
    expect(observation.notes).toEqual(
      isKept
        ? [
            'A kube-state-metrics tells of no nodes now, and no other tells of its own: those that it told of within the last hour are taken for still there.',
          ]
        : [],
    );
  });

  test('the targets, where none of it has what was asked for; that is said', async () => {
    const { url } = await startPrometheus({ answers: answerOf('a'), nodesOfAll: [[{}, 7]] }, CLUSTER);
    const observation = await observe(url, { matchers: CLUSTER });
    expect(observation.source).toBe(`Prometheus at ${url} with {cluster="a"}`);
    expect(observation.nodesFrom).toBe('targets');
    expect(observation.notes).toEqual([
      'kube_node_info is there, but none of it with {cluster="a"}: which nodes have no exporter is not known.',
    ]);
  });

  test.each([[], [[{}, 2]]] as const)('not its targets, where it has just begun: %j', async (...scrapes) => {
    const { url } = await startPrometheus({ answers: answerOf('a'), scrapes });
    await expect(observe(url)).rejects.toThrow(
      /^Cannot tell anything yet by .+: it has scraped no exporter 3 times, .+; ask again in a minute/,
    );
    // Whoever knows the nodes knows them at once.
    const known = await startPrometheus({ answers: answerOf('a'), nodes: ofNodes('a'), scrapes });
    expect(seen(await observe(known.url))).toEqual(['a true']);
  });

  test('exporters that are all down are no error', async () => {
    const { url } = await startPrometheus({ silent: [[target('a'), 0]] });
    expect(seen(await observe(url))).toEqual(['a not-answering']);
  });
});

describe('without any exporter', () => {
  const problemOf = async (answers: Answers, matchers: readonly LabelMatcher[] = []) => {
    const { url } = await startPrometheus(answers, matchers);
    return observe(url, { matchers }).then(
      () => 'none',
      (error: unknown) => messageOf(error).replace(url, 'URL'),
    );
  };

  test.each([
    ['no targets at all', {}, [], /; it has no targets at all: see that it scrapes the exporters/],
    [
      'other targets',
      { targets: [[{}, 12]] },
      [],
      /within the last hour; it has 12 targets, and none of them is/,
    ],
    [
      'exporters that do not fit the matchers',
      { targets: [[{}, 12]], answersOfAll: [[{}, 3]] },
      CLUSTER,
      /no eks_endpoint_exporter_build_info with \{cluster="a"\} within.+; without these matchers there are 3 exporters: see whether each --prometheus-matcher/,
    ],
  ] as const)('%s', async (_, answers, matchers, sentence) => {
    const problem = await problemOf(answers, matchers);
    expect(problem).toMatch(/^Cannot tell anything by Prometheus at "URL": there has been no /);
    expect(problem).toMatch(sentence);
  });

  test('nodes that kube-state-metrics knows make no fleet', async () => {
    expect(await problemOf({ nodes: [[ofKube('a'), NOW]] })).toMatch(/^Cannot tell anything/);
  });
});
