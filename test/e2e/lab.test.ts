/** The stage itself: what the other tests build on is really there. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { must } from './lib/command.ts';
import { Lab } from './lib/lab.ts';
import { makeNetwork } from './lib/network.ts';
import { describeOnSockets } from './lib/tools.ts';

const PUBLIC = ['3.34.148.207', '3.38.61.180'];
const X_ENI = ['192.168.1.231', '192.168.2.210'];
const NODE = '192.168.1.204';

describeOnSockets('the stand-ins', () => {
  test('a client bears its name, holds a verified TLS connection from where it was told, and runs as root', async () => {
    await using lab = await Lab.make({ node: [NODE], servers: [...PUBLIC, ...X_ENI], answer: PUBLIC });
    const kubelet = await lab.startClient('kubelet');
    const { local, peer } = await kubelet.connect('3.34.148.207', { localAddress: NODE, localPort: 44084 });
    expect({ local, peer }).toEqual({ local: '192.168.1.204:44084', peer: '3.34.148.207:443' });

    const proc = `/proc/${kubelet.pid}`;
    expect(await readFile(`${proc}/comm`, 'utf8')).toBe('kubelet\n');
    expect(await readFile(`${proc}/status`, 'utf8')).toMatch(/^Uid:\t0\t0\t0\t0$/m);
    expect(await readFile(`${proc}/cmdline`, 'utf8')).toContain(`\0--kubeconfig=${lab.kubeconfig}\0`);
    expect(await readFile(`${proc}/net/tcp`, 'utf8')).toContain('CC01A8C0:AC34 CF942203:01BB 01');

    const stranger = await lab.startClient('kubelet', { uid: 1000 });
    expect(await readFile(`/proc/${stranger.pid}/comm`, 'utf8')).toBe('kubelet\n');
    expect(await readFile(`/proc/${stranger.pid}/status`, 'utf8')).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m);
  });

  test('a client follows DNS when it connects anew, and its old connection stays', async () => {
    await using lab = await Lab.make({ node: [NODE], servers: [...PUBLIC, ...X_ENI], answer: PUBLIC });
    const kubelet = await lab.startClient('kubelet');
    const before = await kubelet.connect();
    expect(PUBLIC.map((address) => `${address}:443`)).toContain(before.peer);
    await lab.flipDns(X_ENI);
    const after = await kubelet.connect();
    expect(X_ENI.map((address) => `${address}:443`)).toContain(after.peer);
    await kubelet.program.close(before);
    await expect(kubelet.program.close(before)).rejects.toThrow('there is none');
  });

  test('DNS falls silent, comes back, and refuses', async () => {
    await using lab = await Lab.make({ node: [NODE], servers: PUBLIC, answer: PUBLIC });
    const kubelet = await lab.startClient('kubelet');
    lab.dns.pause();
    expect(await kubelet.program.resolve(lab.hostname)).toEqual([]);
    lab.dns.resume();
    await lab.dnsAnswers(PUBLIC);
    lab.dns.stop();
    await lab.dnsAnswers([]);
  });

  test('what a crashed run left behind is gone after the next start', async () => {
    const dead = 'eks-e2e-4194305-1-node'; // above the greatest pid there is
    await must('ip', ['netns', 'add', dead]);
    await using network = await makeNetwork({ node: [NODE], far: [], resolver: '192.168.0.2' });
    const there = await must('ip', ['netns', 'list']);
    expect(there).toContain(network.node);
    expect(there).not.toContain(dead);
  });
});
