/** The example scrape configurations, checked by those who will read them. */
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../e2e/lib/command.ts';
import { ROOT } from '../support/manifests.ts';
import { EXAMPLES, podMonitorJobs, scrapeConfigOf } from '../support/scrape.ts';
import { programs, RELEASES } from './lib/programs.ts';
import { describeWithPrometheus } from './lib/tools.ts';

const CONFIGS = [
  ...EXAMPLES.map((example) => ({ name: example, config: scrapeConfigOf(example) })),
  { name: 'podmonitor', config: { scrape_configs: podMonitorJobs() } },
];

describeWithPrometheus('promtool', () => {
  test.each(RELEASES)('$name accepts the configuration for the demo', async (release) => {
    const { promtool } = await programs(release);
    const { code, stderr } = await run(promtool, [
      'check',
      'config',
      join(ROOT, 'deploy/prometheus/demo.yaml'),
    ]);
    expect(code, stderr).toBe(0);
  });

  // Debian builds its 2.42 without the discovery of Kubernetes.
  for (const release of RELEASES.filter(({ name }) => name !== '2.42')) {
    async function check(config: object) {
      const folder = await mkdtemp(join(tmpdir(), 'eks-scrape-'));
      try {
        await copyFile(join(ROOT, 'deploy/prometheus/rules.yaml'), join(folder, 'rules.yaml'));
        await writeFile(join(folder, 'prometheus.json'), JSON.stringify(config));
        const { promtool } = await programs(release);
        return await run(promtool, [
          'check',
          'config',
          '--lint=all',
          '--lint-fatal',
          join(folder, 'prometheus.json'),
        ]);
      } finally {
        await rm(folder, { recursive: true });
      }
    }

    test.each(CONFIGS)(`${release.name} accepts $name`, async ({ config }) => {
      const { code, stdout, stderr } = await check(config);
      expect(`${stdout}${stderr}`).toContain('SUCCESS');
      expect(code, stderr).toBe(0);
    });

    test(`${release.name} refuses a misspelt field`, async () => {
      const config = scrapeConfigOf('prometheus.yaml');
      const jobs = config.scrape_configs.map((job) => ({ ...job, relabel_config: [] }));
      const { code, stderr } = await check({ ...config, scrape_configs: jobs });
      expect(code).not.toBe(0);
      expect(stderr).toContain('relabel_config not found');
    });
  }
});
