/** Kubeconfigs of tests, as files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { tlsFixture } from './web-server.ts';

export interface MadeKubeconfig {
  readonly server: string;
  readonly user?: Readonly<Record<string, unknown>>;
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly context?: string;
  readonly currentContext?: string;
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'eks-endpoint-verify-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes it (JSON is YAML) and gives its path. Trusts the tests' authority where `cluster` says nothing else. */
export function writeKubeconfig(made: MadeKubeconfig, folder = temporaryFolder()): string {
  const { server, user = { token: 'the-token' }, context = 'prod', currentContext = context } = made;
  const ca = Buffer.from(tlsFixture('ca.crt')).toString('base64');
  const cluster = { server, ...(made.cluster ?? { 'certificate-authority-data': ca }) };
  const path = join(folder, `${context}.kubeconfig`);
  writeFileSync(
    path,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': currentContext,
      clusters: [{ name: `cluster-of-${context}`, cluster }],
      users: [{ name: `user-of-${context}`, user }],
      contexts: [
        { name: context, context: { cluster: `cluster-of-${context}`, user: `user-of-${context}` } },
      ],
    }),
  );
  return path;
}
