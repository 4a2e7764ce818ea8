/** What npm's answers mean, in the notes' words. `npm audit` is the real one, asked of a registry on loopback. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { signaturesText, VULNERABILITIES, vulnerabilitiesText } from '../../scripts/release/audit.ts';
import type { Answer } from '../../scripts/release/shell.ts';

const LOCK = {
  lockfileVersion: 3,
  packages: {
    '': { dependencies: { made: '1.0.0' } },
    'node_modules/made': { version: '1.0.0', resolved: 'http://127.0.0.1/made-1.0.0.tgz' },
  },
};
const ADVISORY = {
  made: [{ id: 1, url: 'u', title: 't', severity: 'high', vulnerable_versions: '<2.0.0', cwe: [], cvss: {} }],
};
/** What the registry knows of the package, which npm asks for when something is bad. */
const PACKUMENT = {
  name: 'made',
  'dist-tags': { latest: '1.0.0' },
  versions: { '1.0.0': { name: 'made', version: '1.0.0' }, '2.0.0': { name: 'made', version: '2.0.0' } },
};

/** npm audit of a tree with one package, of a registry that answers so. */
async function audit(code: number, body: unknown): Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), 'audit-'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify(LOCK.packages['']));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(LOCK));
  const server = createServer(({ method }, response) => {
    if (method === 'GET') response.end(JSON.stringify(PACKUMENT));
    else response.writeHead(code).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    npm_config_registry: `http://127.0.0.1:${port}/`,
    npm_config_fetch_retries: '0',
    npm_config_update_notifier: 'false',
  };
  const [program, ...args] = VULNERABILITIES;
  try {
    return await new Promise((resolve) => {
      const child = execFile(program, args, { cwd: folder, env }, (_, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      );
    });
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('npm audit', () => {
  test('that knows nothing bad', async () => {
    expect(vulnerabilitiesText(await audit(200, {}))).toBe('none');
  });

  test('that knows of a vulnerability', async () => {
    expect(vulnerabilitiesText(await audit(200, ADVISORY))).toBe('**found:** made 1.0.0: high');
  });

  test.each([405, 500])('of a registry that answers %i could not be asked', async (code) => {
    const text = vulnerabilitiesText(await audit(code, {}));
    expect(text).toMatch(/^\*\*could not be asked\*\* \(.+\), which says nothing of the packages$/);
    expect(text).toContain(`${code}`);
  });

  test.each<[string, Answer, string]>([
    ['nothing at all', { code: 1, stdout: '', stderr: '' }, 'npm ended with 1, without a reason'],
    ['no JSON', { code: 0, stdout: 'found 0 vulnerabilities', stderr: '' }, 'npm ended with 0'],
    ['null', { code: 0, stdout: 'null', stderr: '' }, 'npm ended with 0'],
    ['a signal', { code: null, stdout: '', stderr: 'npm error killed\nmore' }, 'npm error killed'],
    [
      'nothing found and yet an error',
      { code: 1, stdout: '{"auditReportVersion":2,"vulnerabilities":{}}', stderr: 'npm error odd' },
      'npm error odd',
    ],
  ])('that says %s could not be asked', (_, answer, reason) => {
    expect(vulnerabilitiesText(answer)).toContain(`**could not be asked** (${reason}`);
  });
});

/** The second is what npm 11.19 prints where it cannot reach Sigstore. */
test.each<[string, Answer, string]>([
  ['good', { code: 0, stdout: '{"invalid":[],"missing":[]}', stderr: '' }, 'all good'],
  [
    'not to be checked',
    {
      code: 1,
      stdout:
        '{"error":{"code":"ENOTFOUND","summary":"request to https://tuf-repo-cdn.sigstore.dev/15.root.json failed, reason: getaddrinfo ENOTFOUND tuf-repo-cdn.sigstore.dev","detail":"This is a problem related to network connectivity."}}',
      stderr: 'npm error code ENOTFOUND',
    },
    '**could not be asked** (request to https://tuf-repo-cdn.sigstore.dev/15.root.json failed, reason: getaddrinfo ENOTFOUND tuf-repo-cdn.sigstore.dev), which says nothing of the packages',
  ],
  [
    'bad',
    {
      code: 1,
      stdout: '{"invalid":[{"name":"a","version":"1.0.0"}],"missing":[{"name":"b","version":"2.0.0"}]}',
      stderr: '',
    },
    '**found:** a 1.0.0: no good signature; b 2.0.0: no good signature',
  ],
])('signatures that are %s', (_, answer, text) => {
  expect(signaturesText(answer)).toBe(text);
});
