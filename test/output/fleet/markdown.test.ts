import { expect, test } from 'vitest';
import { changesSince } from '../../../src/model/fleet/baseline.ts';
import { AUDIT_LOG_QUERY } from '../../../src/model/fleet/not-covered.ts';
import { renderFleetMarkdown } from '../../../src/output/fleet/markdown.ts';
import {
  answerWith,
  FLEET_ENDPOINT,
  fleetStatus,
  manyNodes,
  noAnswerFor,
  nodeSeen,
} from '../../support/fleet.ts';

const BAD = {
  ...answerWith('false'),
  connections: [{ client: 'kubelet', peer: '3.34.148.207:443', route: 'public' as const, staleSeconds: 60 }],
};

function rowsOf(markdown: string): readonly string[] {
  return markdown.split('\n').filter((line) => line.startsWith('| <code>'));
}

test('the verdict is the headline, then the counts and those that do not pass', () => {
  const status = fleetStatus([...manyNodes(2), nodeSeen('bad', BAD)]);
  const markdown = renderFleetMarkdown(status);
  expect(markdown.split('\n').slice(0, 8)).toEqual([
    '## FAIL: 1 of 3 nodes does not pass public-free',
    '',
    `Prometheus at http&#58;//127.0.0.1:9090, 2026-11-21T12:00:00.000Z, endpoint <code>${FLEET_ENDPOINT}</code> (3 nodes)`,
    '',
    '**3 nodes: 1 fail, 2 pass**',
    '',
    '| Node | Verdict | Route | Connections | Cause | Why | What to do |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ]);
  expect(rowsOf(markdown)).toEqual([
    "| <code>bad</code> | **fail** | public | <code>kubelet 3.34.148.207:443</code> public, stale for 60 s | <code>GateFalse</code> | public-free is false here | read the gate's reason on the node's page, which its agent serves |",
  ]);
});

test('a pass has no table, and says what it does not cover', () => {
  const markdown = renderFleetMarkdown(fleetStatus(manyNodes(2)));
  expect(markdown).toMatch(/^## PASS: all 2 nodes pass public-free\n/);
  expect(markdown).not.toContain('| Node');
  expect(markdown).toContain('### Not covered by this pass\n\n- This pass speaks of');
});

test('the query is a block of its own, as it is: it is there to be copied', () => {
  const lines = renderFleetMarkdown(fleetStatus(manyNodes(2))).split('\n');
  const at = lines.indexOf(`  ${AUDIT_LOG_QUERY}`);
  expect(lines.slice(at - 3, at)).toEqual([expect.stringMatching(/^- They are in .* ask:$/), '', '  ```']);
  expect(lines.slice(at + 1, at + 3)).toEqual(['  ```', '']);
});

test('all that is to be done is in one cell', () => {
  const findings = ['kubelet', 'kube-proxy'].map((client) => ({
    ...{ code: 'StaleConnection', severity: 'warning', client, summary: null, remedy: `restart ${client}` },
  }));
  expect(rowsOf(renderFleetMarkdown(fleetStatus([nodeSeen('bad', { ...BAD, findings })])))[0]).toMatch(
    /\| restart kubelet<br>restart kube-proxy \|$/,
  );
});

test('of more than a hundred nodes the others are counted', () => {
  const markdown = renderFleetMarkdown(fleetStatus(manyNodes(130, BAD)));
  expect(rowsOf(markdown)).toHaveLength(100);
  expect(markdown).toContain('And 30 more that do not pass: `--output json` has them all.');
});

test('what is long is cut by us, and that is said: a comment of GitHub takes 64 KiB', () => {
  const connections = Array.from({ length: 16 }, (_, index) => ({
    ...{ client: 'kubelet', peer: `3.34.148.${index}:443`, route: 'public' as const, staleSeconds: 60 },
  }));
  const long = 'a remedy of an agent that names addresses and processes, '.repeat(8);
  const findings = [
    { code: 'StaleConnection', severity: 'warning', client: null, summary: long, remedy: long },
  ];
  const status = fleetStatus(manyNodes(300, { ...BAD, connections, findings }));
  const changes = changesSince(fleetStatus(manyNodes(300)), status);
  const markdown = renderFleetMarkdown({ ...status, changes });
  expect(markdown.length).toBeLessThan(65_536);
  const rows = rowsOf(markdown);
  expect(rows.length).toBeGreaterThan(20);
  expect(rows[0]).toContain('3.34.148.3:443</code> public, stale for 60 s<br>and 12 more');
  expect(markdown).toContain(`And ${300 - rows.length} more that do not pass: `);
  expect(markdown).toContain('- And 200 more: --output json has them all.');
});

test('what changed is a list', () => {
  const status = fleetStatus([...manyNodes(1), nodeSeen('bad', BAD)]);
  const changed = { ...status, changes: changesSince(fleetStatus(manyNodes(2)), status) };
  expect(renderFleetMarkdown(changed)).toMatch(
    /### What changed\n\n- Since .*: pass -&#62; fail\n- New: 1 node: bad\n- No more there: 1 node: n2\n$/,
  );
});

test('hostile names are text, in one cell of one row', () => {
  const hostile =
    '`a` | **b** | <script>alert(1)</script> [c](http://x) ![d](e) @team #1 www.x.example \\| $x$\n\u001b[2J';
  const seen = { ...noAnswerFor('gone'), detail: hostile, remedy: hostile };
  const status = fleetStatus([nodeSeen(hostile, seen)]);
  const markdown = renderFleetMarkdown({ ...status, source: hostile, reason: hostile, notes: [hostile] });
  const [row = ''] = rowsOf(markdown);
  expect(rowsOf(markdown)).toHaveLength(1);
  expect(row.split('|')).toHaveLength(9);
  const ours = /<\/?code>|<br>|&#\d+;|^## |^\*\*.*\*\*$|^- |\*\*unknown\*\*/gm;
  const text = markdown
    .replace(/^\| (?:Node|---) .*$/gm, '')
    .replace(ours, '')
    .replaceAll(' | ', ' ')
    .replace(/^\| | \|$/gm, '');
  expect(text).not.toMatch(/[<>&`*[\]\\@#$|!]|:\/\/|www\./);
  expect(markdown).not.toMatch(/[^\P{C}\n]/u);
  // A mention is none in code.
  expect(markdown).toContain('<code>&#64;</code>team');
});
