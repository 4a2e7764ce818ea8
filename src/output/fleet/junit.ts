/**
 * The fleet status as JUnit XML: a test case a node, and one for the fleet, so that a fleet that is empty or of several
 * clusters is no success. Their form: https://github.com/testmoapp/junitxml
 */
import type { FleetStatus, FleetVerdict, NodeResult } from '../../model/fleet/status.ts';
import { printable } from '../terminal.ts';
import { staleClause } from './sentences.ts';

const SUITE = 'eks-endpoint-exporter verify';

export function renderFleetJunit(status: FleetStatus): string {
  const cases = [fleetCase(status), ...status.nodes.map(nodeCase)];
  const { fail, unknown, ignored } = status.counts;
  const ofFleet: Readonly<Record<FleetVerdict, readonly [number, number]>> = {
    pass: [0, 0],
    fail: [1, 0],
    unknown: [0, 1],
  };
  const [failures, errors] = ofFleet[status.verdict];
  const counted = {
    name: SUITE,
    tests: String(cases.length),
    failures: String(fail + failures),
    errors: String(unknown + errors),
    skipped: String(ignored),
  };
  const suite = element('testsuite', { ...counted, timestamp: status.at }, [
    element('properties', {}, properties(status)),
    ...cases,
  ]);
  const { skipped: _, ...totals } = counted;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', totals, [suite])}`;
}

function properties(status: FleetStatus): readonly string[] {
  const values = [
    ['version', status.version],
    ['source', status.source],
    ['nodes from', status.nodesFrom],
    ['gate', status.gate],
    ...status.endpoints.map(({ hostname }) => ['endpoint', hostname]),
    ...status.notes.map((note) => ['note', note]),
    ...status.notCovered.map((note) => ['not covered', note]),
  ];
  return values.map(([name = '', value = '']) => element('property', { name, value }, []));
}

function fleetCase({ verdict, reason }: FleetStatus): string {
  const told = { fail: 'failure', unknown: 'error', pass: null }[verdict];
  const children = told === null ? [] : [element(told, { message: reason, type: verdict }, [])];
  return element('testcase', { classname: 'fleet', name: 'the fleet as a whole' }, children);
}

function nodeCase(node: NodeResult): string {
  const told = { fail: 'failure', unknown: 'error', ignored: 'skipped', pass: null }[node.verdict];
  const attributes = { classname: `node.${node.gate}`, name: node.node };
  if (told === null) return element('testcase', attributes, []);
  const message = node.reason ?? node.verdict;
  // A skipped one has no type.
  const type: Readonly<Record<string, string>> =
    told === 'skipped' ? {} : { type: node.causes[0] ?? node.verdict };
  return element('testcase', attributes, [element(told, { message, ...type }, detailsOf(node).map(text))]);
}

function detailsOf({ route, causes, connections, remedies }: NodeResult): readonly string[] {
  return [
    `Route: ${route ?? 'not known'}`,
    `Causes: ${causes.join(', ')}`,
    ...connections.map((one) => `Connection: ${one.client} ${one.peer} ${one.route}${staleClause(one)}`),
    ...remedies.map((remedy) => `What to do: ${remedy}`),
  ];
}

function element(
  name: string,
  attributes: Readonly<Record<string, string>>,
  children: readonly string[],
): string {
  const start = [
    name,
    ...Object.entries(attributes).map(([key, value]) => `${key}="${escaped(value)}"`),
  ].join(' ');
  return children.length === 0 ? `<${start}/>\n` : `<${start}>\n${children.join('')}</${name}>\n`;
}

function text(line: string): string {
  return `${escaped(line)}\n`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML has no way to write most control characters; U+FFFE and U+FFFF are none of its characters either. */
function escaped(value: string): string {
  return printable(value).replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
}
