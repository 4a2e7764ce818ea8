import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { changesSince } from '../../../src/model/fleet/baseline.ts';
import { AUDIT_LOG_QUERY } from '../../../src/model/fleet/not-covered.ts';
import { renderFleetTable } from '../../../src/output/fleet/table.ts';
import { widthOf } from '../../../src/output/terminal.ts';
import {
  answerOfNode,
  answerWith,
  FLEET_ENDPOINT,
  fleetStatus,
  manyNodes,
  noAnswerFor,
  nodeSeen,
} from '../../support/fleet.ts';

const PIPED = { color: false, columns: null };
const REMEDY =
  'only once the probes of this node succeed, close the connection or restart the client: one node first';
const STALE = {
  ...answerWith('false'),
  route: 'mixed' as const,
  findings: [
    {
      code: 'StaleConnection',
      severity: 'warning',
      client: 'kube-proxy',
      summary: 'it is stale',
      remedy: REMEDY,
    },
    { code: 'DnsPublic', severity: 'warning', client: null, summary: 'x', remedy: 'y' },
  ],
  connections: [
    { client: 'kube-proxy', peer: '3.34.148.207:443', route: 'public' as const, staleSeconds: 1860 },
    { client: 'kubelet', peer: '3.34.148.208:443', route: 'public' as const, staleSeconds: null },
  ],
};
const FLEET = fleetStatus(
  [
    ...manyNodes(2),
    nodeSeen('ip-10-0-0-1.eu-west-1.compute.internal', STALE),
    nodeSeen('ip-10-0-0-2.eu-west-1.compute.internal', STALE),
    nodeSeen('down', noAnswerFor('not-answering')),
    nodeSeen('fargate-1', noAnswerFor('fargate')),
  ],
  { ignoreFargate: true },
);

function linesOf(text: string): readonly string[] {
  return text.split('\n');
}

describe('the table', () => {
  const lines = linesOf(renderFleetTable(FLEET, PIPED));

  test('has the nodes that do not pass first, with what keeps them from it', () => {
    const begin = lines.findIndex((line) => line.startsWith('NODE'));
    expect(lines.slice(begin, begin + 9).map((line) => line.split(/ {2,}/).slice(0, 6))).toEqual([
      ['NODE', 'ROUTE', 'CLIENT', 'PEER', 'STALE FOR', 'RESULT: CAUSE'],
      [
        'ip-10-0-0-1.eu-west-1.compute.internal',
        'mixed',
        'kube-proxy',
        '3.34.148.207:443',
        '31 min',
        'fail: StaleConnection +1',
      ],
      ['', 'kubelet', '3.34.148.208:443'],
      [
        'ip-10-0-0-2.eu-west-1.compute.internal',
        'mixed',
        'kube-proxy',
        '3.34.148.207:443',
        '31 min',
        'fail: StaleConnection +1',
      ],
      ['', 'kubelet', '3.34.148.208:443'],
      ['down', '-', 'unknown: NoAnswer', '(2) mend not-answering'],
      ['fargate-1', '-', 'ignored: Fargate'],
      ['n1', 'x-eni', 'pass'],
      ['n2', 'x-eni', 'pass'],
    ]);
  });

  test('has a remedy once in full, however many nodes are told it', () => {
    expect(lines.filter((line) => line.includes(REMEDY))).toEqual([`  What to do: ${REMEDY}.`]);
    expect(lines[lines.indexOf(`  What to do: ${REMEDY}.`) + 1]).toBe('  And: y.');
    expect(lines).toContain('(1) StaleConnection, 2 nodes');
    expect(lines).toContain('(2) NoAnswer, down');
    expect(lines).toContain('  Why: nobody speaks for it: not-answering.');
  });

  test('ends with the count, the verdict in words and the notes', () => {
    const text = lines.join('\n');
    expect(text).toContain(
      '\n6 nodes: 2 fail, 1 unknown, 1 ignored, 2 pass\nFAIL: 2 of 5 nodes do not pass public-free, and 1 cannot be told.\n',
    );
    expect(text).toContain('- 1 node is ignored by --ignore-fargate: fargate-1.');
    expect(text).not.toContain('Not covered');
  });

  test('of a pass says what it does not cover, with a query in one line', () => {
    const pass = renderFleetTable(fleetStatus(manyNodes(2)), { color: false, columns: 40 });
    expect(pass).toContain('PASS: all 2 nodes pass public-free.');
    expect(pass).toContain('Not covered by this pass:');
    expect(linesOf(pass)).toContain(`  ${AUDIT_LOG_QUERY}`);
  });

  test('names the endpoint with the number of nodes that answered for it', () => {
    expect(lines).toContain(`Endpoint  ${FLEET_ENDPOINT} (4 nodes)`);
    expect(renderFleetTable(fleetStatus(manyNodes(1)), PIPED)).toContain(`${FLEET_ENDPOINT} (1 node)\n`);
  });

  test('of a fleet without nodes is the verdict', () => {
    expect(renderFleetTable(fleetStatus([]), PIPED)).toContain(
      '\n0 nodes: 0 pass\nCANNOT TELL: no node was found: an empty fleet is no pass.\n',
    );
  });

  test('counts passing nodes where they are more than 50, and lists all others', () => {
    const many = renderFleetTable(fleetStatus([...manyNodes(51), ...manyNodes(300, STALE, 'stale')]), PIPED);
    expect(many).not.toMatch(/^n1 /m);
    expect(many.match(/^stale\d+ /gm)).toHaveLength(300);
    expect(many).toContain('351 nodes: 300 fail, 51 pass');
    expect(renderFleetTable(fleetStatus(manyNodes(50)), PIPED).match(/^n\d+ /gm)).toHaveLength(50);
  });

  test('shows four connections of a node, and three remedies of a cause', () => {
    const connections = Array.from({ length: 9 }, (_, index) => ({
      client: 'kubelet',
      peer: `3.34.148.${index}:443`,
      route: 'public' as const,
      staleSeconds: null,
    }));
    const nodes = Array.from({ length: 25 }, (_, index) =>
      nodeSeen(`n${index}`, {
        ...STALE,
        connections,
        findings: [
          { code: 'ViaProxy', severity: 'warning', client: null, summary: null, remedy: `mend ${index}` },
        ],
      }),
    );
    const text = renderFleetTable(fleetStatus(nodes), PIPED);
    expect(text.match(/and 5 more/g)).toHaveLength(25);
    expect(text.match(/ {2}What to do, on n\d+: mend \d+\./g)).toHaveLength(3);
    expect(text).toContain('(1) ViaProxy, 25 nodes\n');
    expect(text).toContain('  And 22 more: --output json has that of each node.');
  });

  test('shows twenty causes', () => {
    const nodes = Array.from({ length: 25 }, (_, index) =>
      nodeSeen(`n${index}`, {
        ...STALE,
        findings: [
          { code: `Code${index}`, severity: 'dire', client: null, summary: null, remedy: 'mend it' },
        ],
      }),
    );
    const text = renderFleetTable(fleetStatus(nodes), PIPED);
    expect(text.match(/^\(\d+\) Code/gm)).toHaveLength(20);
    expect(text).toContain('And 5 more causes: --output json has them all.');
  });

  test('shows what changed since a baseline', () => {
    const changed = { ...FLEET, changes: changesSince(fleetStatus(manyNodes(3)), FLEET) };
    expect(renderFleetTable(changed, PIPED)).toMatch(
      /\nSince .*: pass -> fail\n- New: 4 nodes: .*\n- No more there: 1 node: n3\n/,
    );
  });
});

describe('on a terminal', () => {
  test.each([40, 60, 80, 100, 120, 200])('of %d columns no line is longer', (columns) => {
    for (const line of linesOf(renderFleetTable(FLEET, { color: false, columns })))
      expect(widthOf(line), line).toBeLessThanOrEqual(columns);
  });

  test('that has no room for the table each node is a block of lines', () => {
    const text = renderFleetTable(FLEET, { color: false, columns: 40 });
    expect(text).not.toContain('NODE');
    expect(text).toContain(
      [
        'ip-10-0-0-1.eu-west-1.compute.internal',
        '  fail: StaleConnection, DnsPublic',
        '  route mixed',
        '  kube-proxy 3.34.148.207:443, stale for',
        '  31 min',
        '  kubelet 3.34.148.208:443',
        '  public-free is false here',
        '  What to do: see (1)',
        '',
      ].join('\n'),
    );
    expect(text).toContain('\nn1\n  pass, route x-eni\nn2\n  pass, route x-eni\n');
  });

  test('that has little room the remedy is its number', () => {
    expect(renderFleetTable(FLEET, { color: false, columns: 123 })).toMatch(
      /^down .* unknown: NoAnswer +\(2\)$/m,
    );
  });

  test('colours are there only where they are asked for, and do not change the text', () => {
    for (const columns of [40, 120, null]) {
      const plain = renderFleetTable(FLEET, { color: false, columns });
      const colored = renderFleetTable(FLEET, { color: true, columns });
      expect(plain).not.toContain('\u001b');
      expect(colored).toContain('\u001b[');
      expect(stripVTControlCharacters(colored)).toBe(plain);
    }
  });
});

test('names that a terminal would obey do not reach it', () => {
  const hostile = '\u001b[2J\u0007\u202e<script>\n';
  const seen = {
    ...STALE,
    routeReason: hostile,
    gates: [{ gate: 'public-free', state: 'false', reason: hostile } as const],
    findings: [{ code: hostile, severity: hostile, client: hostile, summary: hostile, remedy: hostile }],
    connections: [{ client: hostile, peer: hostile, route: 'public' as const, staleSeconds: 1 }],
  };
  const status = fleetStatus([
    nodeSeen(hostile, seen),
    nodeSeen(`${hostile}2`, answerOfNode({ hostname: hostile })),
    nodeSeen(`${hostile}3`, { ...noAnswerFor('gone'), detail: hostile, remedy: hostile }),
    nodeSeen(`${hostile}4`, STALE, { origin: hostile }),
    nodeSeen(`${hostile}4`, STALE, { origin: hostile }),
  ]);
  const changed = {
    ...status,
    notes: [hostile],
    source: hostile,
    changes: changesSince(fleetStatus([]), status),
  };
  for (const columns of [40, 200, null])
    expect(renderFleetTable(changed, { color: false, columns })).not.toMatch(/[^\P{C}\n]/u);
});
