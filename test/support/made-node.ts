/** Made /proc trees, and the scenarios of real nodes as such trees. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type ProcTree, writeProcTree } from '../../src/demo/proc-tree.ts';
import type { TcpState } from '../../src/model/observation.ts';

const made: string[] = [];
afterAll(() => {
  for (const root of made.splice(0)) rmSync(root, { recursive: true, force: true });
});

/** A directory that looks like /proc, removed after the test file. */
export function makeNode(tree: ProcTree): string {
  const root = mkdtempSync(join(tmpdir(), 'eks-endpoint-test-'));
  made.push(root);
  writeProcTree(root, tree);
  return root;
}

export interface Scenario {
  readonly name: string;
  readonly endpoint: { readonly hostname: string; readonly port: number };
  readonly dns: {
    readonly node: readonly string[];
    readonly outside: readonly string[];
    readonly resolver: string;
  };
  readonly xEni: readonly string[];
  readonly vpcCidrs: readonly string[];
  readonly sockets: readonly {
    readonly process: string;
    readonly pid: number;
    readonly local: string;
    readonly peer: string;
    readonly state: TcpState;
  }[];
  readonly expect: {
    readonly route: string;
    readonly connections: Readonly<Record<string, Readonly<Record<string, number>>>>;
    readonly stale: Readonly<Record<string, number>>;
    readonly accessMode: string;
    /** Where each probe succeeds and two looks agree. */
    readonly 'public-free': string;
  };
}

const FOLDER = join(import.meta.dirname, '..', 'scenarios');

export const SCENARIOS: readonly Scenario[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => ({
    name: file.replace('.json', ''),
    ...JSON.parse(readFileSync(join(FOLDER, file), 'utf8')),
  }));

/** The scenario's sockets, with the listener that a kubelet always has. */
export function treeOf({ sockets, dns: { resolver } }: Scenario): ProcTree {
  const kubelet = sockets.find(({ process }) => process === 'kubelet');
  const files = { '/etc/resolv.conf': `nameserver ${resolver}\n` };
  return {
    processes: kubelet === undefined ? [] : [{ pid: kubelet.pid, comm: 'kubelet', files }],
    sockets: [...sockets, { local: '[::]:10250', state: 'listen' }],
  };
}
