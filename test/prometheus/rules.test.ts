/** The shipped rules and their tests, judged by promtool; and that no rule could be another without a test that says so. */
import {
  copyFileSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../e2e/lib/command.ts';
import { programs, RELEASES } from './lib/programs.ts';
import { describeWithPrometheus } from './lib/tools.ts';
import { migrationTimeline } from './migration-timeline.ts';
import { type Mutant, mutantsOf } from './mutants.ts';
import {
  alertsOf,
  formatRules,
  nameOf,
  parseRules,
  type Rule,
  replaced,
  rulesOfResource,
  without,
} from './rules-file.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'deploy', 'prometheus');
const RULES_FILE = join(FOLDER, 'rules.yaml');
/** The small ones first. */
const TESTS = globSync(join(FOLDER, 'tests', '*.yaml')).sort((a, b) => statSync(a).size - statSync(b).size);
/** Those that take seconds. */
const SLOW = ['drifted-back-in-weeks.yaml', 'migration-finished.yaml'];
/** Wants alerts.yaml beside it. */
const ALERTS_ONLY_TEST = join(import.meta.dirname, 'alerts-only.yaml');

const RULES = parseRules(readFileSync(RULES_FILE, 'utf8'));
const ALL = RULES.groups.flatMap(({ rules }) => rules);

/** Rules that the migration of 50 nodes does not come by: they have tests of their own. */
const NOT_IN_THE_MIGRATION = ['EksEndpointXEniIdentityMismatch', 'EksEndpointDnsFailing'];

/** Mutants that are no others: what they ask for is only whether there is a sample, or it always is 1. They are left out. */
const EQUIVALENT: Readonly<Record<string, readonly string[]>> = {
  EksEndpointUnexpectedRoute: ['line 2: last_over_time -> min_over_time'],
  EksEndpointBlind: ['line 7: last_over_time -> min_over_time'],
  EksEndpointExporterMissing: [
    'line 3: last_over_time -> min_over_time',
    'line 4: last_over_time -> min_over_time',
  ],
  EksEndpointDriftedBack: ['line 4: last_over_time -> min_over_time'],
};

describeWithPrometheus('the rules', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'eks-rules-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  describe.each(RELEASES)('Prometheus $name', (release) => {
    async function promtool(...args: readonly string[]): Promise<string> {
      return complaintOf((await programs(release)).promtool, args);
    }

    test('takes the rules file without a warning', async () => {
      expect(await promtool('check', 'rules', '--lint=all', '--lint-fatal', RULES_FILE)).toBe('');
    });

    test("takes the PrometheusRule's spec without a warning", async () => {
      const resource = readFileSync(join(FOLDER, 'prometheusrule.yaml'), 'utf8');
      const file = written(folder, 'spec.yaml', formatRules(rulesOfResource(resource)));
      expect(await promtool('check', 'rules', '--lint=all', '--lint-fatal', file)).toBe('');
    });

    test('the lint is one that refuses: a rule given twice', async () => {
      const [group] = RULES.groups;
      const twice = {
        groups: [{ name: 'twice', rules: [...(group?.rules ?? []), ...(group?.rules ?? [])] }],
      };
      const file = written(folder, 'twice.yaml', formatRules(twice));
      expect(await promtool('check', 'rules', '--lint=all', '--lint-fatal', file)).toContain('duplicate');
    });

    test.each(TESTS.map((path) => ({ file: basename(path), path })))('passes $file', async ({ path }) => {
      expect(await promtool('test', 'rules', path)).toBe('');
    });

    test('says that drift cannot be told where only the alerts are loaded', async () => {
      const file = join(folder, 'alerts-only.yaml');
      copyFileSync(ALERTS_ONLY_TEST, file);
      written(folder, 'alerts.yaml', formatRules(alertsOf(RULES)));
      expect(await promtool('test', 'rules', file)).toBe('');
    });

    test('passes a whole migration of 50 nodes', async () => {
      const file = written(folder, 'migration.yaml', migrationTimeline(RULES_FILE));
      expect(await promtool('test', 'rules', file)).toBe('');
    });
  });

  describe('each rule is held by a test: none could be another unnoticed', () => {
    test('with the rules as they are every test passes there, so it is the mutants that fail', async () => {
      const [rule] = ALL;
      expect(rule && (await survives(rule, { name: 'none', rule }))).toBe(true);
    });

    test.each(ALL.map((rule) => ({ name: nameOf(rule), rule })))('$name', async ({ name, rule }) => {
      const mutants = mutantsOf(rule);
      expect(mutants.length).toBeGreaterThan(4);
      expect(mutants.map((mutant) => mutant.name)).toEqual(
        expect.arrayContaining([...(EQUIVALENT[name] ?? [])]),
      );
      // What Prometheus does not take would fail every test.
      const files = mutants.map((mutant, index) =>
        written(
          folder,
          `${name}-${index}.yaml`.replaceAll(':', '-'),
          formatRules(replaced(RULES, rule, mutant.rule)),
        ),
      );
      expect(await complaintOf(await promtoolOfTheFirst(), ['check', 'rules', ...files])).toBe('');
      const survivors: string[] = [];
      const rest = mutants.filter((mutant) => !EQUIVALENT[name]?.includes(mutant.name)).values();
      await Promise.all([hunt(), hunt()]);
      expect(survivors).toEqual([]);

      async function hunt(): Promise<void> {
        for (const mutant of rest) if (await survives(rule, mutant)) survivors.push(mutant.name);
      }
    });

    test('the migration of 50 nodes asks for each: an alert that fires, or a value', () => {
      const story = migrationTimeline(RULES_FILE);
      const missing = ALL.map(nameOf).filter((name) => !story.includes(name));
      expect(missing.sort()).toEqual([...NOT_IN_THE_MIGRATION].sort());
    });

    test('and it does fail without one', async () => {
      const rules = without(RULES, 'cluster:eks_endpoint_exporters:count');
      expect(rules.groups.flatMap((group) => group.rules)).toHaveLength(ALL.length - 1);
      written(folder, 'rest.yaml', formatRules(rules));
      const story = written(folder, 'story.yaml', migrationTimeline('rest.yaml'));
      expect(await complaintOf(await promtoolOfTheFirst(), ['test', 'rules', story])).toContain('FAILED');
    });

    /** Whether every test passes with the mutant in the rule's place. */
    async function survives(rule: Rule, mutant: Mutant): Promise<boolean> {
      const promtool = await promtoolOfTheFirst();
      const place = mkdtempSync(join(folder, 'mutant-'));
      const rules = replaced(RULES, rule, mutant.rule);
      written(place, 'rules.yaml', formatRules(rules));
      written(place, 'alerts.yaml', formatRules(alertsOf(rules)));
      copyFileSync(ALERTS_ONLY_TEST, join(place, 'alerts-only.yaml'));
      symlinkSync(join(FOLDER, 'tests'), join(place, 'tests'));
      for (const path of nearestFirst(nameOf(rule))) {
        const copy = path === ALERTS_ONLY_TEST ? 'alerts-only.yaml' : join('tests', basename(path));
        if ((await complaintOf(promtool, ['test', 'rules', join(place, copy)])) !== '') return false;
      }
      return true;
    }
  });
});

async function promtoolOfTheFirst(): Promise<string> {
  const [first] = RELEASES;
  if (first === undefined) throw new RangeError('Cannot test the rules: there is no release');
  return (await programs(first)).promtool;
}

/** What promtool says where it does not end well, else nothing. */
async function complaintOf(promtool: string, args: readonly string[]): Promise<string> {
  // It is over before there would be garbage to collect, and two of it run at once.
  const { code, stdout, stderr } = await run(promtool, args, {
    env: { GOGC: 'off', GOMAXPROCS: '1' },
    timeoutMs: 120_000,
  });

  return code === 0 ? '' : `${stdout}${stderr}` || `exit code ${code}`;
}

/** The tests: those first that are about a rule, and of these the quick ones. */
function nearestFirst(name: string): readonly string[] {
  const all = [ALERTS_ONLY_TEST, ...TESTS];
  const near = all.filter((path) => readFileSync(path, 'utf8').includes(name));
  const isSlow = (path: string) => SLOW.includes(basename(path));
  return [
    ...near.filter((path) => !isSlow(path)),
    ...near.filter(isSlow),
    ...all.filter((path) => !near.includes(path)),
  ];
}

function written(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
