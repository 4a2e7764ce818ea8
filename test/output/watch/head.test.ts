import { describe, expect, test } from 'vitest';
import { seeSilence, type Watched } from '../../../src/model/watched.ts';
import { painter } from '../../../src/output/terminal.ts';
import { headOf, silenceOf, titleOf } from '../../../src/output/watch/head.ts';
import { paintLine } from '../../../src/output/watch/spans.ts';
import { moment } from '../../support/observation.ts';
import { looksAt, nodeViewOf, STEPS, watchedOf } from '../../support/watched.ts';

const { public: onPublic, moved } = STEPS;
const ON_PUBLIC = watchedOf(looksAt(onPublic, onPublic));
const MOVED = watchedOf(looksAt(onPublic, onPublic, moved, moved));

function head(watched: Watched, size: Parameters<typeof nodeViewOf>[1] = {}): readonly string[] {
  const view = nodeViewOf(watched, size);
  return [titleOf(view), ...silenceOf(view), ...headOf(view)].map((line) => paintLine(line, painter(false)));
}

test('whose node, its route since when and what is expected, why, the gates with their reasons', () => {
  const lines = head(ON_PUBLIC, { agentUrl: 'http://127.0.0.1:10943', columns: 100, seconds: 8 });
  expect(lines[0]).toMatch(
    /^ip-192-168-1-204 {2}by http:\/\/127\.0\.0\.1:10943 +2 looks in 8 s {2}12:00:08Z$/,
  );
  expect(lines[1]).toBe('  Route   public since 12:00:01Z (7 s) expected x-eni');
  expect(lines[2]).toBe(
    '          every endpoint connection of kubelet and kube-proxy is on a public address.',
  );
  expect(lines[3]).toBe('  Gate    private-ready true: 2 of 2 X-ENIs answer as this cluster');
  expect(lines[4]).toMatch(/^ {2}Gate {4}public-free false: DNS gives 3\.34\.148\.207, a public address/);
});

test('what is new bears a mark', () => {
  const marked = head(MOVED).filter((line) => line.startsWith('* '));
  expect(marked.map((line) => line.slice(2, 8).trimEnd())).toEqual(['Route', 'Gate', 'DNS']);
  expect(head(ON_PUBLIC).filter((line) => line.startsWith('*'))).toEqual([]);
});

test('in a small terminal each part is one line', () => {
  const lines = head(MOVED, { columns: 40, rows: 12 });
  expect(lines).toHaveLength(6);
  expect(lines[1]).toBe('* Route  x-eni 0 s, expected x-eni');
});

describe('a silent agent', () => {
  const silent = seeSilence(
    MOVED,
    'Cannot ask "http://127.0.0.1:10943": the connection was refused',
    moment(10),
  );

  test('says so, and how old the rest is; nothing good is said of the node any more', () => {
    const lines = head(silent, { seconds: 12, columns: 100 });
    expect(lines.slice(1, 3)).toEqual([
      'The agent does not answer for 2 s, what is below is 8 s old: Cannot ask "http://127.0.0.1:10943":',
      'the connection was refused.',
    ]);
    expect(lines.join('\n')).toContain('  Route   unknown was x-eni');
    expect(lines.join('\n')).toContain('private-ready unknown: was true');
    expect(lines.join('\n')).not.toMatch(/Route +x-eni/);
  });
});
