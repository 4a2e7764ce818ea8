/** A made repository in which the steps of a release run for real, and stand-ins for the programs that would publish. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';

const RELEASE = join(import.meta.dirname, '..', '..', '..', 'scripts', 'release.ts');

const made: string[] = [];
afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export interface Repository {
  readonly root: string;
  readonly release: (...args: string[]) => { code: number | null; stdout: string; stderr: string };
  readonly write: (file: string, text: string) => void;
  readonly git: (...args: string[]) => string;
  /** A program; its commands are noted. */
  readonly standIn: (program: string, script: string) => void;
  /** The commands that stand-ins were given. */
  readonly commands: () => readonly string[];
}

/** Committed and tagged v1.2.3, with a section for it in the changelog. `variables`: more of the steps' environment. */
export function makeRepository(variables: Readonly<Record<string, string>> = {}): Repository {
  const root = mkdtempSync(join(tmpdir(), 'release-'));
  const programs = mkdtempSync(join(tmpdir(), 'release-programs-'));
  made.push(root, programs);
  const noted = join(programs, 'commands');
  // No other program of the machine is found: nothing can be published.
  for (const program of ['git', 'mkdir']) symlinkSync(whereIs(program), join(programs, program));
  const env = {
    PATH: programs,
    HOME: root,
    GIT_CONFIG_NOSYSTEM: '1',
  };
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.com', ...args], {
      cwd: root,
      env,
      encoding: 'utf8',
    }).trim();
  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  write('package.json', '{"version":"1.2.3"}');
  write(
    'CHANGELOG.md',
    '# Changelog\n\n## 1.2.3 / 2026-11-30\n\n- [FEATURE] It says so.\n\n## 1.2.2 / 2026-01-01\n\n- Old.\n',
  );
  write('.gitignore', '/release/\n');
  write('Dockerfile', 'ARG BUILD_IMAGE=localhost:5000/a:1\nARG RUNTIME_IMAGE=gcr.io/b/c\n');
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '--message=made');
  git('tag', 'v1.2.3');
  writeFileSync(noted, '');
  return {
    root,
    git,
    write,
    release: (...args) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [RELEASE, ...args], {
        cwd: root,
        env: { ...env, ...variables },
        encoding: 'utf8',
      });
      return { code: status, stdout, stderr };
    },
    standIn: (program, script) => {
      const file = join(programs, program);
      rmSync(file, { force: true });
      writeFileSync(file, `#!/bin/sh\necho "${program} $*" >>'${noted}'\n${script}\n`);
      chmodSync(file, 0o755);
    },
    commands: () => readFileSync(noted, 'utf8').split('\n').slice(0, -1),
  };
}

function whereIs(program: string): string {
  return execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
}
