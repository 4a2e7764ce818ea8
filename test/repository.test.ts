/** What a clone holds, and what users copy out of it. */
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

test('git ignores no file of those that are built, tested or installed: a clone would lack it', () => {
  const folders = ['.ci', 'bench', 'deploy', 'docs', 'scripts', 'src', 'test'];
  // With a repository of its own, for a tree that has none.
  const repository = mkdtempSync(join(tmpdir(), 'eks-git-'));
  try {
    const git = (...args: string[]) =>
      execFileSync('git', [`--git-dir=${repository}`, `--work-tree=${ROOT}`, ...args], {
        cwd: ROOT,
        encoding: 'utf8',
      });
    execFileSync('git', ['init', '--quiet', '--bare', repository]);
    expect(git('ls-files', '--others', '--exclude-standard')).toContain('src/main.ts\n');
    expect(git('ls-files', '--others', '--ignored', '--exclude-standard', '--', ...folders)).toBe('');
  } finally {
    rmSync(repository, { recursive: true });
  }
});

test('what users copy names the version of package.json', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const files = [
    'README.md',
    'Dockerfile',
    'daemonset.yaml',
    ...globSync('deploy/**/*.{md,yaml}', { cwd: ROOT }),
  ];
  const named = files.flatMap((file) =>
    Array.from(
      readFileSync(join(ROOT, file), 'utf8').matchAll(
        /(?:eks-endpoint-exporter:|\$image:|newTag: |eks-endpoint-exporter |VERSION=)(\d+\.\d+\.\d+)/g,
      ),
      ([, tag]) => ({ file, tag }),
    ),
  );
  const all = ['Dockerfile', 'README.md', 'daemonset.yaml', 'deploy/README.md', 'deploy/verify-job.yaml'];
  expect([...new Set(named.map(({ file }) => file))].sort()).toEqual(all);
  expect(named.filter(({ tag }) => tag !== version)).toEqual([]);
});
