/** The committed dashboards, as Grafana and people will read them. What they ask is for queries.test.ts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { renderMigrationDashboard } from '../../../scripts/monitoring/dashboards/migration.ts';
import { renderNodeDashboard } from '../../../scripts/monitoring/dashboards/node.ts';
import { ALERTS } from '../../../scripts/monitoring/rules.ts';
import { adviceOf, FINDING_CODES, severityOf } from '../../../src/model/findings.ts';
import { GATE_STATES, NODE_ROUTES } from '../../../src/model/status.ts';
import { dashboardProblems } from '../../support/grafana-schema.ts';
import { metricsWith } from '../../support/known-metrics.ts';
import { checkQuery } from '../../support/metrics-used.ts';
import { asAsked, DASHBOARDS, type Panel, queriesOf, readDashboard } from '../../support/promql.ts';

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'deploy', 'grafana', 'dashboards');
const GREEN = '#009E73';
const VALUES = { cluster: '.*', job: 'eks-endpoint-exporter', node: 'ip-10-0-1-5', rateInterval: '1m' };

const PANELS = DASHBOARDS.flatMap((dashboard) =>
  readDashboard(dashboard)
    .panels.filter(({ type }) => type !== 'row')
    .map((panel) => ({ dashboard, ...panel })),
);

describe.each([
  ['migration', renderMigrationDashboard],
  ['node', renderNodeDashboard],
] as const)('the dashboard %s', (name, render) => {
  const dashboard = readDashboard(name);
  const text = readFileSync(join(FOLDER, `${name}.json`), 'utf8');

  test('is what the generator makes', () => {
    expect(render()).toBe(text);
  });

  test('is as the schemas of the Foundation SDK have it', () => {
    expect(dashboardProblems(dashboard)).toEqual([]);
  });

  test('uses no variable that it does not define, and defines none in vain', () => {
    const defined = dashboard.templating.list.map((variable) => variable.name);
    // What belongs to Grafana begins with two underscores.
    const used = [...text.matchAll(/\$\{?([a-z]\w*)/g)].map(([, variable]) => variable);
    expect([...new Set(used)].toSorted()).toEqual(defined.toSorted());
  });

  test('names no data source but the variable', () => {
    const uids = [...text.matchAll(/"datasource": \{\s*"type": "(\w+)",\s*"uid": "([^"]*)"/g)];
    expect(uids.length).toBeGreaterThan(20);
    expect(new Set(uids.map(([, type, uid]) => `${type} ${uid}`))).toEqual(
      new Set([`prometheus \${datasource}`]),
    );
    expect(text.match(/"datasource": [^{]/)).toBeNull();
  });

  test('fills the grid without gaps and overlaps', () => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.get(`${x} ${y}`), `below ${title}`).toBeUndefined();
          taken.set(`${x} ${y}`, title);
        }
      }
    }
    const height = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
    expect(taken.size).toBe(24 * height);
  });

  test('has one id for each panel', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});

describe('a panel', () => {
  test.each(PANELS)('$dashboard: $title', ({ title, description = '', ...panel }) => {
    expect(title).not.toBe('');
    expect(description.length).toBeGreaterThan(30);
    const { targets = [], fieldConfig } = panel;
    const refIds = targets.map(({ refId }) => refId);
    expect(refIds).toEqual([...new Set(refIds)]);
    expect(refIds.length).toBeGreaterThan(0);
    for (const { datasource } of [panel, ...targets]) expect(datasource?.uid).toBe(`\${datasource}`);
    // Without data it says what is missing, in no colour of its own.
    expect(fieldConfig?.defaults.noValue?.length).toBeGreaterThan(5);
    expect(fieldConfig?.defaults.unit).toBeTruthy();
    // It rounds: one of a thousand nodes is not seen then.
    expect(fieldConfig?.defaults.unit).not.toBe('short');
    expect(fieldConfig?.defaults.thresholds?.steps[0]?.color).not.toBe(GREEN);
  });

  test.each(PANELS.filter(({ type }) => type !== 'table'))(
    '$dashboard: $title, names its series',
    ({ targets = [] }) => {
      for (const { legendFormat } of targets) expect(legendFormat).toBeTruthy();
    },
  );
});

describe('green is what is known to be good', () => {
  test('of colours by number', () => {
    const steps = PANELS.flatMap(({ title, fieldConfig }) =>
      (fieldConfig?.defaults.thresholds?.steps ?? [])
        .filter(({ color }) => color === GREEN)
        .map((step) => ({ title, ...step })),
    );
    expect(steps).toEqual([{ title: 'Share of nodes on the X-ENIs', value: 1, color: GREEN }]);
  });

  test('of words', () => {
    const words = PANELS.flatMap(({ fieldConfig }) => mappedWords(fieldConfig)).filter(
      ({ color }) => color === GREEN,
    );
    expect(new Set(words.map(({ text }) => text))).toEqual(
      new Set(['x-eni', 'true', 'X-ENIs only', 'none left', 'answers']),
    );
  });

  test('of series', () => {
    const names = PANELS.flatMap(({ fieldConfig }) => fieldConfig?.overrides ?? [])
      .filter(({ properties }) => JSON.stringify(properties).includes(GREEN))
      .filter(({ matcher }) => matcher.id === 'byRegexp')
      .map(({ matcher }) => matcher.options);
    expect(new Set(names)).toEqual(new Set(['/(^|\\s)x-eni$/', '/(^|\\s)true$/']));
  });
});

describe('ages', () => {
  test('are by the clock of the node; of two clocks is only the age of the last look, which says so', () => {
    const ofTwo = PANELS.filter(({ targets = [] }) => targets.some(({ expr }) => expr.includes('time()')));
    expect(ofTwo.map(({ title }) => title)).toEqual(['Last look']);
    const below = ofTwo.flatMap(({ fieldConfig }) => mappedWords(fieldConfig));
    expect(below.map(({ text }) => text)).toEqual(['not known: the clocks differ']);
  });
});

describe('the table of stragglers', () => {
  const panel = PANELS.find(({ title }) => title === 'Stragglers');
  const words = (title: string) => mappedWords(propertiesOf(panel, title));

  test.each(FINDING_CODES)('says what to do about %s', (code) => {
    expect(words('What to do').find(({ value }) => value === code)?.text).toBe(adviceOf(code));
    expect(adviceOf(code)).not.toBe('');
  });

  test.each([...FINDING_CODES, 'ExporterMissing', 'RouteUnknown', 'NoFinding'])('knows %s', (code) => {
    expect(words('What to do').find(({ value }) => value === code)?.text).toBeTruthy();
    expect(words('Finding').find(({ value }) => value === code)?.text).toBeTruthy();
  });

  test('every code that the query can give has its own weight, and a word for it', () => {
    const [query = ''] = panel?.targets?.map(({ expr }) => expr) ?? [];
    const weights = new Map(
      [...query.matchAll(/code="(\w+)"\} == 1\) \* (\d+)/g)].map(([, code, weight]) => [
        code,
        Number(weight),
      ]),
    );
    expect([...weights.keys()].toSorted()).toEqual([...FINDING_CODES].toSorted());
    expect(new Set(weights.values()).size).toBe(FINDING_CODES.length);
    for (const code of FINDING_CODES) {
      const weight = weights.get(code) ?? Number.NaN;
      const word = words('Severity').find(({ from, to }) => from <= weight && weight <= to);
      expect(word?.text).toBe(severityOf(code));
    }
  });

  test('the worst comes first', () => {
    expect(panel?.options).toMatchObject({
      sortBy: [
        { displayName: 'Severity', desc: true },
        { displayName: 'Stale for', desc: true },
      ],
    });
  });

  test('a node leads to its dashboard, with the variables that are there', () => {
    const node = readDashboard('node');
    const [link] = propertiesOf(panel, 'Node').links;
    const url = new URL(link?.url ?? '', 'http://grafana');
    expect(url.pathname).toBe(`/d/${node.uid}`);
    const set = [...(link?.url.matchAll(/[?&](?:var-(\w+)=|\$\{(\w+):queryparam\})/g) ?? [])].map(
      ([, one, other]) => one ?? other,
    );
    expect(set.toSorted()).toEqual(node.templating.list.map(({ name }) => name).toSorted());
    // The columns that the link takes its values from, by the titles that they have then.
    expect([...(link?.url.matchAll(/__data\.fields\.(\w+)/g) ?? [])].map(([, title]) => title)).toEqual([
      'Cluster',
    ]);
    expect(JSON.stringify(panel?.transformations)).toContain('"cluster":"Cluster"');
  });
});

describe('what thousands of nodes cost', () => {
  const recorded = metricsWith([]);

  test.each(queriesOf('migration').filter(({ kind }) => kind === 'range'))(
    'the past comes from recording rules: $panel, query $refId',
    ({ expr }) => {
      // Not from the exporters' own metrics: there are none here.
      expect(checkQuery(asAsked(expr, VALUES), recorded).problems.filter(isMetric)).toEqual([]);
    },
  );

  test('the others ask about now', () => {
    const past = queriesOf('migration').filter(({ expr }) => /\[/.test(expr));
    expect(past.map(({ panel, refId }) => `${panel} / ${refId}`)).toEqual([
      // Of recorded series.
      'Nodes not yet public-free / B',
      'Nodes not yet private-ready / B',
      'Connections opened in the last 15m, by route / A',
    ]);
  });
});

describe('the words', () => {
  test('the nodes of Kubernetes are those of the alert for a missing exporter', () => {
    const matchers = (text: string) =>
      [...text.matchAll(/kube_node_info\{([^}]*)\}/g)].map(([, inner = '']) =>
        inner
          .split(/,\s*/)
          .filter((matcher) => !matcher.startsWith('cluster='))
          .toSorted(),
      );
    const alert = ALERTS.find(({ name }) => name === 'EksEndpointExporterMissing');
    const [ofAlert] = matchers(alert?.query ?? '');
    const asked = queriesOf('migration').flatMap(({ expr }) => matchers(expr));
    expect(ofAlert?.length).toBeGreaterThan(0);
    expect(new Set(asked.map((one) => one.join()))).toEqual(new Set([ofAlert?.join()]));
  });

  test.each(['Route', 'Gate public-free', 'Route, DNS and gates'])(
    '%s: every state has its word',
    (title) => {
      const panel = PANELS.find((one) => one.dashboard === 'node' && one.title === title);
      const numbers = (panel?.targets ?? []).flatMap(({ expr }) =>
        [...expr.matchAll(/="([\w-]+)"\} == 1\) \* (\d+)/g)].map(([, value, number]) => ({ value, number })),
      );
      const words = mappedWords(panel?.fieldConfig);
      expect(numbers.length).toBeGreaterThanOrEqual(Math.min(NODE_ROUTES.length, GATE_STATES.length));
      for (const { value, number } of numbers) {
        expect(words.find((word) => word.value === number)?.text).toBe(value);
      }
    },
  );
});

describe('the schemas refuse', () => {
  const OF_PANEL = { options: {}, fieldConfig: { defaults: { custom: {} } } };
  const changed = (
    name: 'migration' | 'node',
    type: string,
    change: (panel: Json) => void,
  ): readonly string[] => {
    const dashboard: Json = JSON.parse(JSON.stringify(readDashboard(name)));
    const panel = listOf(dashboard['panels']).find((one) => one['type'] === type);
    change(panel ?? {});
    return dashboardProblems(dashboard);
  };
  type Json = Record<string, unknown>;
  const listOf = (value: unknown): Json[] => (Array.isArray(value) ? value : []);

  test('a misspelt field of the dashboard', () => {
    const { title, ...rest } = readDashboard('node');
    expect(dashboardProblems({ ...rest, titel: title })).toEqual(['/: unknown field "titel"']);
  });

  test.each(['stat', 'bargauge', 'table', 'timeseries', 'state-timeline'])(
    'misspelt fields of a %s',
    (type) => {
      const name = type === 'state-timeline' ? 'node' : 'migration';
      expect(changed(name, type, (panel) => Object.assign(panel, { descripton: '' }))).toEqual([
        expect.stringContaining('unknown field "descripton"'),
      ]);
      expect(
        changed(name, type, (panel) => Object.assign(panel['options'] ?? {}, { orientaton: 'auto' })),
      ).toEqual([expect.stringContaining('unknown field "orientaton"')]);
      expect(
        changed(name, type, (panel) => Object.assign(listOf(panel['targets'])[0] ?? {}, { exprr: 'up' })),
      ).toEqual([expect.stringContaining('unknown field "exprr"')]);
    },
  );

  test('a value that is none', () => {
    expect(
      changed('migration', 'stat', (panel) => Object.assign(panel['options'] ?? {}, { colorMode: 'grean' })),
    ).toEqual([expect.stringContaining('must be one of')]);
  });

  test('an override of a field that there is not', () => {
    const override = {
      matcher: { id: 'byName', options: 'Node' },
      properties: [{ id: 'custom.widht', value: 1 }],
    };
    expect(
      changed('migration', 'table', (panel) =>
        Object.assign(panel['fieldConfig'] ?? {}, { overrides: [override] }),
      ),
    ).toEqual([expect.stringContaining('unknown field "widht"')]);
    expect(
      changed('migration', 'table', (panel) =>
        Object.assign(panel['fieldConfig'] ?? {}, {
          overrides: [{ ...override, properties: [{ id: 'untit', value: 's' }] }],
        }),
      ),
    ).toEqual([expect.stringContaining('unknown field "untit"')]);
  });

  test('a transformation that nobody knows, and a type of panel', () => {
    expect(
      changed('migration', 'table', (panel) =>
        Object.assign(panel, { transformations: [{ id: 'merg', options: {} }] }),
      ),
    ).toEqual([expect.stringContaining('unknown transformation "merg"')]);
    expect(
      changed('migration', 'table', (panel) => Object.assign(panel, { ...OF_PANEL, type: 'tabel' })),
    ).toEqual([expect.stringContaining('no schema for panels of type "tabel"')]);
  });
});

interface Word {
  readonly value: string | null;
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly color: string | undefined;
}

/** The mappings in anything, from value or range to text and colour. */
function mappedWords(where: unknown): readonly Word[] {
  if (Array.isArray(where)) return where.flatMap(mappedWords);
  if (!isObject(where)) return [];
  const { type, options } = where;
  if (type === 'value' && isObject(options)) {
    return Object.entries(options).flatMap(([value, result]) =>
      word(result, { value, from: Number.NaN, to: Number.NaN }),
    );
  }
  if (type === 'range' && isObject(options)) {
    return word(options['result'], { value: null, from: Number(options['from']), to: Number(options['to']) });
  }
  return Object.values(where).flatMap(mappedWords);
}

function word(result: unknown, at: Pick<Word, 'value' | 'from' | 'to'>): Word[] {
  if (!isObject(result)) return [];
  const { text, color } = result;
  return [{ ...at, text: String(text), color: typeof color === 'string' ? color : undefined }];
}

interface Properties {
  readonly mappings: unknown;
  readonly links: readonly { readonly url: string }[];
}

/** What is overridden for a column. */
function propertiesOf(panel: Panel | undefined, title: string): Properties {
  const override = panel?.fieldConfig?.overrides.find(({ matcher }) => matcher.options === title);
  const value = (id: string) => override?.properties.find((property) => property.id === id)?.value;
  const links = value('links');
  return { mappings: value('mappings'), links: Array.isArray(links) ? links : [] };
}

function isMetric(problem: string): boolean {
  return problem.startsWith('there is no metric eks_endpoint_');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
