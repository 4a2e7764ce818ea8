import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, test } from 'vitest';
import { QUESTIONS, renderMetricsPage } from '../../../scripts/monitoring/metrics-page.ts';
import { JOB, RECORDING_RULES } from '../../../scripts/monitoring/rules.ts';
import { FAMILIES, SECTIONS } from '../../../src/output/families.ts';
import { renderMetrics } from '../../../src/output/metrics.ts';
import { Watch } from '../../support/observation.ts';
import { SELF_USAGE } from '../../support/runtime.ts';

const PAGE = renderMetricsPage();
const ROWS = PAGE.split('\n').filter((line) => line.startsWith('| '));
const QUERIES = QUESTIONS.flatMap(({ query }) => query.split('\n')).map((query) => ({ query }));
/** Of the scraper, on every series. */
const SCRAPERS = new Map([['up', { job: [JOB] }]]);

/** The metrics that a query asks for, each with the label matchers that are beside it. */
function selectorsOf(query: string): readonly { name: string; matchers: readonly [string, string][] }[] {
  return [...query.matchAll(/([a-z_]+)(?:\{([^}]*)\})?/g)]
    .filter(([, name = '']) => name === 'up' || /^(?:eks_endpoint|process)_/.test(name))
    .map(([, name = '', matchers = '']) => ({
      name,
      matchers: [...matchers.matchAll(/(\w+)!?="([^"]*)"/g)].map(([, label = '', value = '']) => [
        label,
        value,
      ]),
    }));
}

test('every metric has a row, in its section, with its type and when it is absent', () => {
  for (const { title, families } of SECTIONS) {
    const section = PAGE.split(`\n## ${title}\n`)[1]?.split('\n## ')[0];
    for (const { name, kind, help, absent } of families) {
      const row = section?.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
      expect(row, name).toContain(` | ${kind}`);
      expect(row, name).toContain(`| ${help} | ${absent ?? 'never'} |`);
    }
  }
});

test('every label of every metric has its values', () => {
  const rows = PAGE.split('\n## Labels\n')[1]?.split('\n## ')[0]?.split('\n') ?? [];
  for (const { name, labels } of FAMILIES) {
    for (const [label, values] of Object.entries(labels)) {
      const row = rows.find((line) => line.startsWith(`| \`${label}\` |`) && line.includes(`\`${name}\``));
      for (const value of typeof values === 'string' ? [values] : values) expect(row).toContain(value);
    }
  }
});

test('every recording rule is there', () => {
  for (const { record, help } of RECORDING_RULES) expect(ROWS).toContain(`| \`${record}\` | ${help} |`);
});

test('tables have as many cells in each row as in their head', () => {
  for (const block of PAGE.split('\n\n').filter((text) => text.startsWith('| '))) {
    const widths = block
      .trim()
      .split('\n')
      .map((line) => line.match(/(?<!\\)\|/g)?.length);
    expect(new Set(widths).size, block).toBe(1);
  }
});

test('its links lead somewhere', () => {
  for (const [, target = ''] of PAGE.matchAll(/\]\(([^)#]+)\)/g)) {
    expect(existsSync(join(import.meta.dirname, '../../../docs', target)), target).toBe(true);
  }
  for (const [, anchor = ''] of PAGE.matchAll(/\]\(#([^)]+)\)/g)) {
    expect(PAGE.toLowerCase()).toContain(`\n## ${anchor.replaceAll('-', ' ')}\n`);
  }
});

describe.each(QUERIES)('$query', ({ query }) => {
  test('is PromQL', () => {
    const errors: string[] = [];
    parser.parse(query).iterate({
      enter: ({ type, from, to }) => {
        if (type.isError) errors.push(`${from}-${to}`);
      },
    });
    expect(errors).toEqual([]);
  });

  test('asks for metrics and labels that there are', () => {
    const selectors = selectorsOf(query);
    expect(selectors.length).toBeGreaterThan(0);
    for (const { name, matchers } of selectors) {
      const labels = FAMILIES.find((family) => family.name === name)?.labels ?? SCRAPERS.get(name);
      expect(labels, name).toBeDefined();
      for (const [label, value] of matchers) {
        const values = label === 'job' ? [JOB] : new Map(Object.entries(labels ?? {})).get(label);
        expect(values, `${name} ${label}`).toBeDefined();
        if (typeof values !== 'string') expect(values).toContain(value);
      }
    }
  });
});

test('a further client adds 16 series at most, as the page says', async () => {
  const seriesWith = async (names: readonly string[]) => {
    const clients = names.map((name) => ({ name, required: false }));
    const watch = new Watch({ clients });
    const peers = ['3.34.148.207', '3.38.61.180'];
    const sockets = names.flatMap((process) => peers.map((peer) => ({ process, peer: `${peer}:443` })));
    const processes = names.map((client, index) => ({ client, pid: 100 + index }));
    watch.look({ dns: ['192.168.1.231'], sockets, processes });
    const { body } = await renderMetrics(watch.look({ sockets, processes }), SELF_USAGE);
    // Peers have a limit of their own.
    return body.split('\n').filter((line) => line !== '' && !/^#|_peer_info/.test(line)).length;
  };
  const [two, three] = await Promise.all([
    seriesWith(['kubelet', 'kube-proxy']),
    seriesWith(['kubelet', 'kube-proxy', 'aws-k8s-agent']),
  ]);
  expect(three - two).toBe(16);
  expect(PAGE).toContain('each further `--client` adds up to 16 series');
});
