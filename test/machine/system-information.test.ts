/** The real library on this machine. */
import childProcess from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { askSystemInformation } from '../../src/machine/system-information.ts';

/** What the library runs through its shells on Linux, among others. */
const PROGRAMS = ['cat', 'dmesg', 'dmidecode', 'echo', 'hostname', 'ls'];

test.runIf(process.platform === 'linux')('tells the kernel, and starts no program for it', async () => {
  const folder = mkdtempSync(join(os.tmpdir(), 'eks-facts-'));
  const { PATH = '' } = process.env;
  onTestFinished(() => {
    process.env['PATH'] = PATH;
    rmSync(folder, { recursive: true });
  });
  for (const name of PROGRAMS) {
    writeFileSync(join(folder, name), `#!/bin/sh\n: >"${folder}/${name}.ran"\n`, { mode: 0o755 });
  }
  process.env['PATH'] = `${folder}${delimiter}${PATH}`;
  const real = { ...childProcess };

  const machine = await askSystemInformation();
  expect([machine.kernel, machine.arch]).toEqual([os.release(), os.arch()]);
  expect(readdirSync(folder).sort()).toEqual(PROGRAMS);
  // Nobody else is refused anything.
  expect({ ...childProcess }).toEqual(real);

  // And the files would have shown it.
  childProcess.execSync('cat /dev/null');
  expect(readdirSync(folder).filter((name) => name.endsWith('.ran'))).toEqual(['cat.ran']);
});

test.runIf(process.platform === 'linux')('says nothing of the container that it runs in', async () => {
  const { vendor, model } = await askSystemInformation();
  for (const fact of [vendor, model])
    expect(fact ?? 'absent').not.toMatch(/^(?:Docker Container|Computer|-|)$/);
});
