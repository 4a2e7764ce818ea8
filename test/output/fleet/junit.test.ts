import { describe, expect, test } from 'vitest';
import { renderFleetJunit } from '../../../src/output/fleet/junit.ts';
import {
  answerOfNode,
  answerWith,
  fleetStatus,
  manyNodes,
  noAnswerFor,
  nodeSeen,
} from '../../support/fleet.ts';

const FLEET = fleetStatus(
  [
    nodeSeen('good'),
    nodeSeen('bad', {
      ...answerWith('false'),
      connections: [{ client: 'kubelet', peer: '3.34.148.207:443', route: 'public', staleSeconds: 60 }],
    }),
    nodeSeen('down', noAnswerFor('not-answering')),
    nodeSeen('fargate', noAnswerFor('fargate')),
  ],
  { ignoreFargate: true },
);

/** Elements by their tags, each with its attributes; throws where they do not fit into each other. */
function parse(xml: string): readonly { readonly name: string; readonly attributes: string }[] {
  const open: string[] = [];
  const elements: { name: string; attributes: string }[] = [];
  const rest = xml
    .replace(/^<\?xml version="1.0" encoding="UTF-8"\?>\n/, '')
    .replace(/<(\/?)([a-z]+)((?: [a-z]+="[^"<]*")*)(\/?)>/g, (_, end, name, attributes, alone) => {
      if (end === '/') {
        const started = open.pop();
        if (started !== name) throw new Error(`</${name}> ends <${started}>`);
        return '';
      }
      elements.push({ name, attributes });
      if (alone === '') open.push(name);
      return '';
    });
  if (open.length > 0) throw new Error(`without an end: ${open}`);
  const text = rest + elements.map(({ attributes }) => attributes).join('\n');
  if (/<|&(?!(?:amp|lt|gt|quot);)|[^\P{C}\n]/u.test(text.replaceAll('>', '')))
    throw new Error(`not escaped: ${text}`);
  return elements;
}

function casesOf(xml: string) {
  return [...xml.matchAll(/<testcase classname="([^"]*)" name="([^"]*)"(?:\/>|>\n<(\w+) )/g)].map(
    ([, of, name, told = 'success']) => [of, name, told],
  );
}

test('each node is a test case, and so is the fleet', () => {
  const xml = renderFleetJunit(FLEET);
  expect(casesOf(xml)).toEqual([
    ['fleet', 'the fleet as a whole', 'failure'],
    ['node.public-free', 'bad', 'failure'],
    ['node.public-free', 'down', 'error'],
    ['node.public-free', 'fargate', 'skipped'],
    ['node.public-free', 'good', 'success'],
  ]);
  expect(xml).toContain(
    '<testsuite name="eks-endpoint-exporter verify" tests="5" failures="2" errors="1" skipped="1" timestamp="2026-11-21T12:00:00.000Z">',
  );
  expect(parse(xml).filter(({ name }) => name === 'testcase')).toHaveLength(5);
});

test('a case says why, and what to do', () => {
  expect(renderFleetJunit(FLEET)).toContain(
    [
      '<failure message="public-free is false here" type="GateFalse">',
      'Route: public',
      'Causes: GateFalse',
      'Connection: kubelet 3.34.148.207:443 public, stale for 60 s',
      "What to do: read the gate's reason on the node's page, which its agent serves",
      '</failure>',
    ].join('\n'),
  );
});

describe('what is no pass of the fleet is none here', () => {
  test.each([
    ['no nodes', fleetStatus([])],
    ['too few', fleetStatus(manyNodes(2), { minNodes: 3 })],
    [
      'several endpoints',
      fleetStatus([nodeSeen('a'), nodeSeen('b', answerOfNode({ hostname: 'other.example' }))]),
    ],
    ['all ignored', fleetStatus([nodeSeen('f', noAnswerFor('fargate'))], { ignoreFargate: true })],
  ])('%s: an error', (_, status) => {
    const xml = renderFleetJunit(status);
    expect(casesOf(xml)[0]).toEqual(['fleet', 'the fleet as a whole', 'error']);
    expect(xml).toMatch(/<testsuites [^>]*errors="[1-9]/);
  });

  test('a pass has neither failures nor errors', () => {
    expect(renderFleetJunit(fleetStatus(manyNodes(3)))).toContain(
      'tests="4" failures="0" errors="0" skipped="0"',
    );
  });
});

test('hostile names are text', () => {
  const hostile = `"><failure/>'&amp;\u0000\u001b[2J\ufffe\ud800]]>\u2028\n`;
  const status = fleetStatus([
    nodeSeen(hostile, { ...noAnswerFor('gone'), detail: hostile, remedy: hostile }),
    nodeSeen('b', answerOfNode({ hostname: hostile })),
  ]);
  const elements = parse(renderFleetJunit({ ...status, source: hostile, notes: [hostile], reason: hostile }));
  expect(elements.filter(({ name }) => name === 'failure')).toEqual([]);
  expect(elements.filter(({ name }) => name === 'testcase')).toHaveLength(3);
  expect(() => parse('<a><b></a>')).toThrow();
  expect(() => parse('<a>&nbsp;</a>')).toThrow();
});
