/** What the firmware says of the machine (DMI, as the kernel shows it), read once at the start. */
import { factOf, type Machine } from '../model/machine.ts';

/** The text of a file; null where it cannot be read. */
type Read = (path: string) => string | null;

/** https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-class-dmi, readable for everyone. */
const FOLDER = '/sys/class/dmi/id';

/** "Amazon EC2" and "m7i.large"; null also where the firmware was never filled in. */
export function readDmi(read: Read): Pick<Machine, 'vendor' | 'model'> {
  return { vendor: factOf(read(`${FOLDER}/sys_vendor`)), model: factOf(read(`${FOLDER}/product_name`)) };
}

/**
 * Whether the machine is an EC2 instance
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/identify_ec2_instances.html).
 */
export function isEc2(vendor: string | null, read: Read): boolean {
  if (vendor === 'Amazon EC2') return true;
  // Xen instances, whose vendor is "Xen".
  return read('/sys/hypervisor/uuid')?.trim().toLowerCase().startsWith('ec2') ?? false;
}
