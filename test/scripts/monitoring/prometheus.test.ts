/** The files for Prometheus: that the resource is the rules file, and that what a user is told to do to them works. */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { RUNBOOKS } from '../../../scripts/monitoring/prometheus.ts';
import { ALERTS, RECORDING_RULES } from '../../../scripts/monitoring/rules.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const README = readFileSync(join(ROOT, 'deploy/prometheus/README.md'), 'utf8');
const RULES = parse(readFileSync(join(ROOT, 'deploy/prometheus/rules.yaml'), 'utf8'));

test("the PrometheusRule's spec is the rules file", () => {
  const resource = parse(readFileSync(join(ROOT, 'deploy/prometheus/prometheusrule.yaml'), 'utf8'));
  expect(resource.spec).toEqual(RULES);
});

describe('every alert', () => {
  test.each(ALERTS)('$name has a runbook of its name', ({ name }) => {
    const code = name.replace(/^EksEndpoint/, '');
    expect(readFileSync(join(ROOT, 'docs', 'runbooks', `${code}.md`), 'utf8')).toMatch(`# ${code}\n`);
    const url = RULES.groups[1].rules.find(({ alert }: { alert: string }) => alert === name).annotations
      .runbook_url;
    expect(url).toBe(`${RUNBOOKS}/${code}.md`);
  });

  test.each(ALERTS)('$name is tested by promtool with its whole text', ({ name }) => {
    const texts = globSync('deploy/prometheus/tests/*.yaml', { cwd: ROOT }).map((file) =>
      readFileSync(join(ROOT, file), 'utf8'),
    );
    const tested = texts
      .flatMap((text) => parse(text).tests)
      .flatMap(({ alert_rule_test = [] }) => alert_rule_test);
    const fired = tested.filter(({ alertname, exp_alerts }) => alertname === name && exp_alerts.length > 0);
    expect(fired.length).toBeGreaterThan(0);
  });
});

describe('the tables of deploy/prometheus/README.md', () => {
  test('of alerts', () => {
    const rows = [...README.matchAll(/^\| \[(\w+)\]\(([^)]*)\) \| (\w+) \| (\w+) \|/gm)].map((match) =>
      match.slice(1),
    );
    expect(rows).toEqual(
      ALERTS.map(({ name, severity, for: hold }) => {
        const code = name.replace(/^EksEndpoint/, '');
        return [code, `../../docs/runbooks/${code}.md`, severity, hold];
      }),
    );
  });

  test('of recording rules', () => {
    const rows = [...README.matchAll(/^\| `([\w:]+:[\w:]+)` \| (.*) \|$/gm)].map((match) => match.slice(1));
    expect(rows).toEqual(RECORDING_RULES.map(({ record, help }) => [record, help]));
  });
});

describe('the commands of deploy/prometheus/README.md, on a copy', () => {
  test('one sets where the runbooks are, in every file that names them', () => {
    inCopy((folder) => {
      expect(named(folder, RUNBOOKS)).toBeGreaterThan(2 * ALERTS.length);
      execute('runbooks.example', folder);
      expect(named(folder, 'runbooks.example')).toBe(0);
      const rules = parse(readFileSync(join(folder, 'deploy/prometheus/rules.yaml'), 'utf8'));
      expect(rules.groups[1].rules[0].annotations.runbook_url).toBe(
        'https://wiki.internal/eks/UnexpectedRoute.md',
      );
    });
  });

  test('one leaves clusters out that have no exporter', () => {
    inCopy((folder) => {
      execute('cluster=~', folder);
      for (const file of [
        'prometheus/rules.yaml',
        'prometheus/prometheusrule.yaml',
        'grafana/alerting/rules.yaml',
      ]) {
        const text = readFileSync(join(folder, 'deploy', file), 'utf8');
        expect(text).toContain('(kube_node_info{cluster=~"blue|green", node!~');
      }
    });
  });

  test('one leaves nodes out that have no exporter', () => {
    inCopy((folder) => {
      execute('mi-', folder);
      for (const file of [
        'prometheus/rules.yaml',
        'prometheus/prometheusrule.yaml',
        'grafana/alerting/rules.yaml',
      ]) {
        expect(readFileSync(join(folder, 'deploy', file), 'utf8')).toContain('{node!~"fargate-.*|mi-.*", ');
      }
    });
  });
});

function inCopy(work: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'eks-deploy-'));
  try {
    cpSync(join(ROOT, 'deploy'), join(folder, 'deploy'), { recursive: true });
    work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs the one command of the README that has this in it, as it stands there. */
function execute(mark: string, folder: string): void {
  const commands = [...README.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text = '']) => text);
  const [command = '', ...more] = commands.filter((text) => text.includes(mark));
  expect(more).toEqual([]);
  expect(command).toMatch(/^grep -rl /);
  execFileSync('sh', ['-euc', command], { cwd: folder });
}

/** How often a text is in the YAML of a folder. */
function named(folder: string, text: string): number {
  const files = globSync('**/*.yaml', { cwd: folder });
  return files.reduce(
    (sum, file) => sum + readFileSync(join(folder, file), 'utf8').split(text).length - 1,
    0,
  );
}
