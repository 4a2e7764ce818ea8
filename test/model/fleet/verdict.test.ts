import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FleetObservation, NodeObservation } from '../../../src/model/fleet/observation.ts';
import { parseSelector } from '../../../src/model/fleet/selector.ts';
import type { FleetVerdict } from '../../../src/model/fleet/status.ts';
import { type FleetWishes, judgeFleet } from '../../../src/model/fleet/verdict.ts';
import { GATE_STATES, type GateName } from '../../../src/model/status.ts';
import {
  answerOfNode,
  answerWith,
  FLEET_ENDPOINT,
  FLEET_WISHES,
  fleetSeen,
  fleetStatus,
  manyNodes,
  noAnswerFor,
  nodeSeen,
} from '../../support/fleet.ts';

const OTHER = 'xyz.gr7.eu-west-1.eks.amazonaws.com';
const PASS = answerWith('true');
const FAIL = answerWith('false');
const UNKNOWN = answerWith('unknown');
const OLD = answerOfNode({ ageSeconds: 121 });

describe('the verdict', () => {
  test.each<[string, NodeObservation[], Partial<FleetWishes>, FleetVerdict, string]>([
    ['one node that passes', manyNodes(1), {}, 'pass', 'the one node there is passes public-free'],
    ['all nodes pass', manyNodes(3), {}, 'pass', 'all 3 nodes pass public-free'],
    ['no node at all', [], {}, 'unknown', 'no node was found: an empty fleet is no pass'],
    ['no node at all, and none is wanted', [], { minNodes: 0 }, 'unknown', 'no node was found'],
    [
      'one fails',
      [...manyNodes(2), nodeSeen('b', FAIL)],
      {},
      'fail',
      '1 of 3 nodes does not pass public-free',
    ],
    [
      'one fails and one is unknown',
      [...manyNodes(2), nodeSeen('b', FAIL), nodeSeen('c', UNKNOWN)],
      {},
      'fail',
      '1 of 4 nodes does not pass public-free, and 1 cannot be told',
    ],
    [
      'one is unknown',
      [...manyNodes(2), nodeSeen('b', UNKNOWN)],
      {},
      'unknown',
      'it is not known of 1 of 3 nodes whether it passes public-free',
    ],
    [
      'two are unknown',
      [...manyNodes(2), ...manyNodes(2, UNKNOWN, 'u')],
      {},
      'unknown',
      'it is not known of 2 of 4 nodes whether they pass public-free',
    ],
    [
      'the only one is unknown',
      manyNodes(1, UNKNOWN),
      {},
      'unknown',
      'it is not known of the one node whether it passes public-free',
    ],
    [
      'one is too old',
      [...manyNodes(2), nodeSeen('b', OLD)],
      {},
      'unknown',
      'it is not known of 1 of 3 nodes whether it passes public-free',
    ],
    [
      'one has no answer',
      [...manyNodes(2), nodeSeen('b', noAnswerFor('not-answering'))],
      {},
      'unknown',
      'it is not known of 1 of 3 nodes whether it passes public-free',
    ],
    [
      'too few pass',
      manyNodes(2),
      { minNodes: 3 },
      'unknown',
      'only 2 nodes pass public-free, and --min-nodes is 3',
    ],
    ['too few, and one fails', [...manyNodes(1), nodeSeen('b', FAIL)], { minNodes: 3 }, 'fail', '1 of 2'],
    ['as many as are wanted', manyNodes(3), { minNodes: 3 }, 'pass', 'all 3 nodes pass'],
    [
      'ignored ones do not fill up the number',
      [...manyNodes(2), nodeSeen('f', noAnswerFor('fargate'))],
      { ignoreFargate: true, minNodes: 3 },
      'unknown',
      'only 2 nodes pass',
    ],
    [
      'all are ignored',
      [nodeSeen('f', noAnswerFor('fargate')), nodeSeen('g', noAnswerFor('gone'))],
      { ignoreFargate: true, ignoreGone: true },
      'unknown',
      'all 2 nodes are ignored, and none is left that could pass',
    ],
    [
      'of two endpoints, and one fails',
      [...manyNodes(2), nodeSeen('b', answerOfNode({ hostname: OTHER })), nodeSeen('c', FAIL)],
      {},
      'unknown',
      `the answers are of 2 endpoints: ${FLEET_ENDPOINT} (3 nodes), ${OTHER} (1 node); see which agents`,
    ],
    [
      'of the same endpoint in another case',
      [...manyNodes(2), nodeSeen('b', answerOfNode({ hostname: FLEET_ENDPOINT.toUpperCase() }))],
      {},
      'pass',
      'all 3 nodes pass',
    ],
    [
      'an answer that is too old is none, of whatever endpoint',
      [...manyNodes(2), nodeSeen('b', { ...OLD, hostname: OTHER })],
      {},
      'unknown',
      'it is not known of 1 of 3 nodes whether it passes public-free',
    ],
    [
      'of another endpoint than in the round before',
      manyNodes(2),
      { earlierEndpoints: [OTHER] },
      'unknown',
      `the answers are of ${FLEET_ENDPOINT} (2 nodes), those of an earlier round were of ${OTHER}`,
    ],
    ['of the same as before', manyNodes(2), { earlierEndpoints: [FLEET_ENDPOINT] }, 'pass', 'all 2'],
    [
      'of one of the two that the first round had',
      manyNodes(2),
      { earlierEndpoints: [FLEET_ENDPOINT, OTHER] },
      'unknown',
      'those of an earlier round were of',
    ],
  ])('%s', (_, nodes, wishes, verdict, reason) => {
    const status = fleetStatus(nodes, wishes);
    expect(status).toMatchObject({ verdict, reason: expect.stringContaining(reason) });
    expect(status.notCovered.length > 0).toBe(verdict === 'pass');
  });

  test('with different gates says how many nodes have which', () => {
    const gateFor = [{ selector: parseSelector('type=hybrid') ?? [], gate: 'private-ready' as const }];
    const hybrid = nodeSeen('h', PASS, { labels: { type: 'hybrid' } });
    const status = fleetStatus([...manyNodes(2), hybrid], { gateFor });
    expect(status.reason).toBe('all 3 nodes pass their gates (private-ready: 1, public-free: 2)');
    expect(status.notCovered[0]).toMatch(/^private-ready says that a node can use the X-ENIs, not that/);
  });
});

describe('a fleet status', () => {
  const status = fleetStatus(
    [
      nodeSeen('b', PASS),
      nodeSeen('a', PASS),
      nodeSeen('z', FAIL),
      nodeSeen('y', FAIL),
      nodeSeen('u', UNKNOWN),
      nodeSeen('f', noAnswerFor('fargate')),
    ],
    { ignoreFargate: true },
  );

  test('has those that do not pass first, then by name', () => {
    expect(status.nodes.map(({ node }) => node)).toEqual(['y', 'z', 'u', 'f', 'a', 'b']);
    expect(status.counts).toEqual({ nodes: 6, pass: 2, fail: 2, unknown: 1, ignored: 1 });
  });

  test('names the nodes that are ignored', () => {
    expect(status.notes).toContain('1 node is ignored by --ignore-fargate: f.');
  });

  test('says who says which nodes there are, and what a list of targets cannot', () => {
    expect(status.notes).toContain('Kubernetes says which nodes there are.');
    const targets = judgeFleet(fleetSeen(manyNodes(1), { nodesFrom: 'targets' }), FLEET_WISHES);
    expect(targets.notCovered.join(' ')).toMatch(/a node that is no target was not asked .* --min-nodes/);
  });

  test('says of a selector that fits no node that it does not', () => {
    const gateFor = [{ selector: parseSelector('typ=hybrid') ?? [], gate: 'private-ready' as const }];
    expect(fleetStatus(manyNodes(1), { gateFor }).notes).toContain(
      '--gate-for typ=hybrid=private-ready fits no node.',
    );
  });
});

/** The rules of a verdict, told from the nodes' side: what a pass of the whole rules out. */
describe('whatever was seen', () => {
  const seen: fc.Arbitrary<NodeObservation['seen']> = fc.oneof(
    { weight: 4, arbitrary: fc.constant(PASS) },
    fc.constantFrom(noAnswerFor('fargate'), noAnswerFor('gone'), noAnswerFor('not-answering')),
    fc.record({
      kind: fc.constant('answer' as const),
      ageSeconds: fc.constantFrom(0, -1, 5, 120, 120.001, 3600, -60, Number.NaN, Number.POSITIVE_INFINITY),
      version: fc.constant(null),
      hostname: fc.constantFrom(
        FLEET_ENDPOINT,
        FLEET_ENDPOINT.toUpperCase(),
        FLEET_ENDPOINT,
        OTHER,
        null,
        '',
      ),
      route: fc.constantFrom('x-eni', 'public', 'unknown'),
      routeReason: fc.constant(null),
      gates: fc.array(
        fc.record({
          gate: fc.constantFrom<GateName>('public-free', 'private-ready'),
          state: fc.constantFrom('true', 'true', ...GATE_STATES),
          reason: fc.constant(null),
        }),
        { maxLength: 3 },
      ),
      findings: fc.constant([]),
      connections: fc.constant([]),
    }),
  );
  const node: fc.Arbitrary<NodeObservation> = fc.record({
    node: fc.constantFrom(...'abcdefghijkl', '__proto__', 'constructor'),
    origin: fc.constantFrom('one', 'two'),
    labels: fc.constantFrom({}, { type: 'hybrid' }),
    seen,
  });
  const observation = fc.array(node, { maxLength: 12 }).map((nodes): FleetObservation => fleetSeen(nodes));
  const wishes: fc.Arbitrary<FleetWishes> = fc.record({
    version: fc.constant('0'),
    gate: fc.constantFrom<GateName>('public-free', 'private-ready'),
    gateFor: fc.constantFrom(
      [],
      [{ selector: [{ key: 'type', value: null }], gate: 'private-ready' as const }],
    ),
    minNodes: fc.constantFrom(1, 1, 2, 3),
    maxAgeMs: fc.constant(120_000),
    ignoreFargate: fc.boolean(),
    ignoreGone: fc.boolean(),
    earlierEndpoints: fc.constantFrom([], [FLEET_ENDPOINT], [OTHER]),
  });

  /** What one observation says by itself, without looking at the others. */
  function said(
    { seen: one, labels }: NodeObservation,
    wished: FleetWishes,
  ): 'yes' | 'no' | 'nothing' | 'leave out' {
    if (one.kind === 'none') {
      const left = { fargate: wished.ignoreFargate, gone: wished.ignoreGone }[String(one.why)] ?? false;
      return left ? 'leave out' : 'nothing';
    }
    if (!(one.ageSeconds >= -2 && one.ageSeconds <= 120)) return 'nothing';
    const gate = 'type' in labels && wished.gateFor.length > 0 ? 'private-ready' : wished.gate;
    const states = new Set(one.gates.filter((told) => told.gate === gate).map(({ state }) => state));
    if (states.has('false')) return 'no';
    return states.size === 1 && states.has('true') && one.hostname ? 'yes' : 'nothing';
  }

  function expected({ nodes }: FleetObservation, wished: FleetWishes): FleetVerdict {
    const fresh = nodes.flatMap(({ seen: one }) =>
      one.kind === 'answer' && one.ageSeconds >= -2 && one.ageSeconds <= 120 && one.hostname
        ? [one.hostname.toLowerCase()]
        : [],
    );
    if (new Set([...fresh, ...wished.earlierEndpoints]).size > 1) return 'unknown';
    if (nodes.some((one) => said(one, wished) === 'no')) return 'fail';
    const isDouble = nodes.some((one) => nodes.filter((other) => other.node === one.node).length > 1);
    if (isDouble || nodes.some((one) => said(one, wished) === 'nothing')) return 'unknown';
    return nodes.filter((one) => said(one, wished) === 'yes').length >= wished.minNodes ? 'pass' : 'unknown';
  }

  test('the verdict is that of the rules, and of a pass every node passes or is left out', () => {
    const verdicts = { pass: 0, fail: 0, unknown: 0 };
    fc.assert(
      fc.property(observation, wishes, (one, wished) => {
        const status = judgeFleet(one, wished);
        verdicts[status.verdict] += 1;
        expect(status.verdict).toBe(expected(one, wished));
        const { pass, fail, unknown, ignored, nodes } = status.counts;
        expect([pass + fail + unknown + ignored, status.nodes.length]).toEqual([nodes, nodes]);
        expect(nodes).toBe(new Set(one.nodes.map(({ node: name }) => name)).size);
        if (status.verdict === 'pass') {
          expect([fail, unknown]).toEqual([0, 0]);
          expect(pass).toBeGreaterThanOrEqual(wished.minNodes);
        }
        for (const result of status.nodes) {
          const quiet = result.verdict === 'pass';
          expect([result.causes.length === 0, result.reason === null]).toEqual([quiet, quiet]);
        }
      }),
      { numRuns: 3000 },
    );
    // It must have had the chance to be wrong.
    for (const number of Object.values(verdicts)) expect(number).toBeGreaterThan(50);
  });

  test('the order of the nodes changes nothing', () => {
    const shuffled = observation.chain((one) =>
      fc.tuple(
        fc.constant(one),
        fc.shuffledSubarray([...one.nodes], { minLength: one.nodes.length, maxLength: one.nodes.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, wishes, ([one, nodes], wished) => {
        expect(judgeFleet({ ...one, nodes }, wished)).toEqual(judgeFleet(one, wished));
      }),
      { numRuns: 1000 },
    );
  });
});
