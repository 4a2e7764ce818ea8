import { describe, expect, test } from 'vitest';
import { isEc2, readDmi } from '../../src/machine/dmi.ts';

type Files = Readonly<Record<string, string>>;

const reading = (files: Files) => (path: string) => files[path] ?? null;

describe('what the firmware says', () => {
  test.each<[string, Files, ReturnType<typeof readDmi>]>([
    [
      'a Nitro instance',
      { '/sys/class/dmi/id/sys_vendor': 'Amazon EC2\n', '/sys/class/dmi/id/product_name': 'm7i.large\n' },
      { vendor: 'Amazon EC2', model: 'm7i.large' },
    ],
    [
      'a vendor without a model',
      { '/sys/class/dmi/id/sys_vendor': 'QEMU\n' },
      { vendor: 'QEMU', model: null },
    ],
    [
      'firmware that was not filled in',
      {
        '/sys/class/dmi/id/sys_vendor': 'To Be Filled By O.E.M.\n',
        '/sys/class/dmi/id/product_name': 'System Product Name\n',
      },
      { vendor: null, model: null },
    ],
    ['no DMI', {}, { vendor: null, model: null }],
  ])('%s', (_, files, facts) => {
    expect(readDmi(reading(files))).toEqual(facts);
  });
});

describe('whether the machine is an EC2 instance', () => {
  test.each<[string, Files, boolean]>([
    ['Nitro', { '/sys/class/dmi/id/sys_vendor': 'Amazon EC2\n' }, true],
    [
      'Xen',
      {
        '/sys/class/dmi/id/sys_vendor': 'Xen\n',
        '/sys/hypervisor/uuid': 'ec2e1916-9099-7caf-fd21-012345abcdef\n',
      },
      true,
    ],
    ['Xen, in capitals', { '/sys/hypervisor/uuid': 'EC2E1916-9099-7CAF-FD21-012345ABCDEF' }, true],
    [
      'Xen of somebody else',
      {
        '/sys/class/dmi/id/sys_vendor': 'Xen\n',
        '/sys/hypervisor/uuid': '45e12aec-dcd1-b213-94ed-012345abcdef\n',
      },
      false,
    ],
    ['another vendor', { '/sys/class/dmi/id/sys_vendor': 'QEMU\n' }, false],
    ['a vendor that only begins so', { '/sys/class/dmi/id/sys_vendor': 'Amazon EC2 Emulator\n' }, false],
    ['no files', {}, false],
    ['empty files', { '/sys/class/dmi/id/sys_vendor': '', '/sys/hypervisor/uuid': '' }, false],
  ])('%s', (_, files, isOne) => {
    const read = reading(files);
    expect(isEc2(readDmi(read).vendor, read)).toBe(isOne);
  });
});
