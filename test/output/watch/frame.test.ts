import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { beginWatch, seeSilence, seeStatus } from '../../../src/model/watched.ts';
import { widthOf } from '../../../src/output/terminal.ts';
import { moment, Watch, type WatchSeen } from '../../support/observation.ts';
import { frameOf, looksAt, STEPS, watchedOf } from '../../support/watched.ts';

const { public: onPublic, flipped, mixed, moved } = STEPS;
const MOVING = watchedOf(looksAt(onPublic, onPublic, flipped, mixed));

/** Many clients, connections and addresses, long names, and wide characters. */
const CROWDED: WatchSeen = {
  dns: Array.from({ length: 12 }, (_, index) => `2600:1f18:1234:5678:9abc:def0:1234:${index + 1}`),
  sockets: Array.from({ length: 60 }, (_, index) => ({
    process: index % 2 ? 'kubelet' : 'kube-proxy',
    local: `[2600:1f18::1]:${20_000 + index}`,
    peer: `[2600:1f18:1234:5678:9abc:def0:1234:${index + 1}]:443`,
  })),
};

describe('a frame fits its terminal, whatever the size and whatever there is to show', () => {
  const [crowded] = looksAt(CROWDED);
  const wide = crowded && { ...crowded, node: 'ノード'.repeat(30), routeReason: 'ノード '.repeat(60) };
  const states = {
    'a migration': MOVING,
    'a crowd': watchedOf(looksAt(onPublic, CROWDED)),
    'wide characters': wide ? seeStatus(MOVING, wide, moment(9)) : MOVING,
    'a silent agent': seeSilence(MOVING, 'x'.repeat(500), moment(9)),
    nothing: beginWatch(moment(0)),
  };
  const sizes = [1, 10, 39, 40, 41, 60, 61, 80, 200].flatMap((columns) =>
    [1, 2, 5, 8, 12, 19, 20, 24, 50].map((rows) => ({ columns, rows })),
  );

  test.each(Object.entries(states))('%s', (_, watched) => {
    for (const size of sizes) {
      const lines = frameOf(watched, {
        ...size,
        color: true,
        seconds: 10,
        agentUrl: 'http://10.0.0.1:10943',
      });
      const at = `${size.columns}x${size.rows}`;
      expect(lines.length, at).toBeLessThanOrEqual(size.rows);
      for (const line of lines) {
        const text = stripVTControlCharacters(line);
        expect(text, at).not.toMatch(/\p{C}/u);
        expect(widthOf(text), `${at}: ${text}`).toBeLessThanOrEqual(Math.max(1, size.columns - 1));
      }
    }
  });
});

test('everything has its place: node, route, gates, DNS, X-ENIs, connections, findings, changes', () => {
  const text = frameOf(MOVING, { rows: 40, columns: 120 }).join('\n');
  const order = [
    'ip-192-168-1-204',
    'Route   mixed',
    'private-ready',
    'public-free',
    'DNS     192.168.1.231',
    'X-ENIs  192.168.1.231 answers',
    'public stale',
    'kubelet',
    'ConnectionMoving',
    'What to do',
    'Last changes',
    '\n12:00:04Z',
    '\n12:00:03Z',
  ];
  const places = order.map((part) => text.indexOf(part));
  expect(places).not.toContain(-1);
  expect(places).toEqual([...places].sort((a, b) => a - b));
});

test('40 columns and 12 lines hold the route, each client and what is wrong', () => {
  const text = frameOf(watchedOf(looksAt(onPublic, flipped)), { columns: 40, rows: 12 }).join('\n');
  expect(text).toMatch(/Route {1,3}public .*expected x-eni/);
  expect(text).toMatch(/public stale kubelet/);
  expect(text).toMatch(/public stale kube-proxy/);
  expect(text).toMatch(/\* INFO ConnectionMoving/);
});

test('many connections leave room for what is wrong, and say how many are not shown', () => {
  const lines = frameOf(watchedOf(looksAt(onPublic, CROWDED)), { columns: 80, rows: 24 });
  expect(lines.join('\n')).toMatch(/and \d+ more connections/);
  expect(lines.join('\n')).toMatch(/WARNING/);
});

test('80 columns and 24 lines hold what to do about the worst of two findings, down to the command', () => {
  const agent = new Watch({ expect: 'x-eni', probeIntervalMs: 60_000, staleAfterMs: 2_000 });
  const stale = watchedOf([onPublic, flipped, flipped, flipped].map((seen) => agent.look(seen, 1)));
  const lines = frameOf(stale, { columns: 80, rows: 24 });
  const text = lines.join(' ').replaceAll(/\s+/g, ' ');
  expect(text).toMatch(
    /WARNING StaleConnection: kubelet .* What to do: first see that the gate private-ready/,
  );
  expect(text).toMatch(/as root: 'ss -K -tn sport = \d+ dst 3\.34\.148\.207 dport = 443'/);
  expect(text).toContain("'systemctl restart kubelet'");
  expect(text).toMatch(/WARNING StaleConnection: kube-proxy/);
  expect(lines).toHaveLength(24);
});

test('a machine that is no node is told what to do, and that of an agent is not this one', () => {
  const [status] = looksAt({ dns: [], sockets: [] });
  if (status === undefined) throw new RangeError('no look');
  const clients = status.clients.map((client) => ({ ...client, found: false }));
  const nowhere = watchedOf([{ ...status, endpoint: null, clients }]);
  const advice = 'no kubelet here: run it on a node as root, or follow an agent: watch';
  expect(frameOf(nowhere)[1]).toBe(advice);
  expect(frameOf(nowhere, { agentUrl: 'http://10.0.0.1:10943' }).join('\n')).not.toContain('no kubelet here');
  expect(frameOf(watchedOf([{ ...status, clients }])).join('\n')).not.toContain('no kubelet here');
});

test('what moved is a mark in front of the line as well as a colour', () => {
  const plain = frameOf(MOVING, { columns: 100, rows: 40 });
  const painted = frameOf(MOVING, { columns: 100, rows: 40, color: true });
  expect(plain.some((line) => line.startsWith('* Route'))).toBe(true);
  expect(painted.map((line) => stripVTControlCharacters(line))).toEqual(plain);
  expect(painted.find((line) => line.includes('mixed'))).toContain('\u001b[7m');
  expect(plain.join('')).not.toContain('\u001b');
});

test('why an agent is silent is there on a small terminal too, and where words are missing that is shown', () => {
  const problem = 'Cannot ask "http://10.0.3.17:10943/api/v1/status": the connection was refused';
  const small = { columns: 40, rows: 12, seconds: 3 };
  expect(frameOf(seeSilence(beginWatch(moment(0)), problem, moment(1)), small).slice(1, 5)).toEqual([
    'The agent does not answer for 2 s:',
    'Cannot ask',
    '"http://10.0.3.17:10943/api/v1/status":',
    'the connection was refused.',
  ]);
  expect(frameOf(seeSilence(MOVING, problem, moment(9)), { ...small, seconds: 9 })[2]).toMatch(/…$/);
});

test('of a silent agent nothing is green', () => {
  const seen = watchedOf(looksAt(onPublic, moved, moved, moved));
  const green = (lines: readonly string[]) => lines.filter((line) => line.includes('\u001b[32m'));
  expect(green(frameOf(seen, { color: true }))).not.toEqual([]);
  expect(green(frameOf(seeSilence(seen, 'refused', moment(9)), { color: true }))).toEqual([]);
});

test('before the first look it says what it waits for', () => {
  expect(frameOf(beginWatch(moment(0)))[1]).toBe(
    'Looking, and asking DNS, the EndpointSlice and the X-ENIs.',
  );
  const silent = seeSilence(beginWatch(moment(0)), 'the connection was refused', moment(1));
  expect(frameOf(silent, { seconds: 3 }).slice(1)).toEqual([
    'The agent does not answer for 2 s: the connection was refused.',
    'Nothing was seen of the node yet.',
  ]);
});
