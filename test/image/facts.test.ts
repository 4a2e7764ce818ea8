/** What the image finds of the machine that it runs on, though it has no program that could be asked. */
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { X_ENI } from '../e2e/lib/cluster.ts';
import type { Lab } from '../e2e/lib/lab.ts';
import { Container, NODE_NAME, runContainer } from './lib/container.ts';
import { readPod } from './lib/manifest.ts';
import { Node } from './lib/node.ts';
import { describeOnContainers } from './lib/tools.ts';

const VENDOR = 'Amazon EC2';
const MODEL = 'm7i.large';
const KERNEL_AND_ARCH = { kernel: os.release(), arch: process.arch };

describeOnContainers('node facts in the container', () => {
  test.concurrent('are the kernel, the architecture, and what the firmware says', async () => {
    await using node = await Node.make(X_ENI);
    const options = await firmware(node.lab, { sys_vendor: VENDOR, product_name: MODEL });
    // On a machine of that vendor it would ask IMDS, which is not there.
    const args = ['agent', '--imds=off'];
    await using container = await Container.start(node.lab, { pod: readPod(), options, args });
    const agent = await container.agent(node.lab);
    const machine = { ...KERNEL_AND_ARCH, vendor: VENDOR, model: MODEL };
    const { status } = await agent.eventually(({ status, metrics }) => {
      expect(status.machine).toEqual(machine);
      expect(metrics.get('machine_info', { nodename: NODE_NAME, ...machine })).toBe(1);
      expect(metrics.get('scan_success', { stage: 'facts' })).toBe(1);
    });
    expect(status.node).toBe(NODE_NAME);
    const check = await runContainer(node.lab, { pod: readPod(), options, args: ['check', '--imds=off'] });
    expect(check.stdout).toMatch(/^Machine .*Amazon EC2.*m7i\.large/m);
    expect(check.stdout).toContain(os.release());
  });

  test.concurrent('say nothing that is not the machine: no "Docker Container"', async () => {
    await using node = await Node.make(X_ENI);
    const options = await firmware(node.lab, {});
    await using container = await Container.start(node.lab, { pod: readPod(), options });
    const agent = await container.agent(node.lab);
    const machine = { ...KERNEL_AND_ARCH, vendor: null, model: null };
    const empty = { ...KERNEL_AND_ARCH, vendor: '', model: '' };
    await agent.eventually(({ status, metrics }) => {
      expect(metrics.get('scan_success', { stage: 'facts' })).toBe(1);
      expect(status.machine).toEqual(machine);
      expect(metrics.get('machine_info', { nodename: NODE_NAME, ...empty })).toBe(1);
    });
    expect((await agent.view()).metrics.text).not.toContain('Docker');
  });
});

/** Podman's options for a firmware that says so in DMI, whatever this machine's says. */
async function firmware(lab: Lab, says: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const classes = join(lab.folder, 'class');
  const id = join(classes, 'dmi', 'id');
  await mkdir(id, { recursive: true });
  for (const [name, text] of Object.entries(says)) await writeFile(join(id, name), `${text}\n`);
  return [`--volume=${classes}:/sys/class:ro`];
}
