/**
 * What the agent finds of the machine and of its pod: /sys and /var/run of its own, in a mount namespace of its own,
 * so that nothing of the real machine decides a test.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The first argument is the folder, the others are the command, which becomes this very process. */
const SCRIPT = 'mount --bind "$1/run" /var/run && mount --bind "$1/sys" /sys && shift && exec "$@"';

/** What the firmware of every machine says. */
export const MODEL = 'm7i.large';

export class Machine {
  /** Becomes /var/run. */
  readonly run: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.run = join(folder, 'run');
  }

  /** `folder` need not exist. `vendor`: what the firmware says, such as "Amazon EC2". */
  static async make(folder: string, vendor: string): Promise<Machine> {
    const dmi = join(folder, 'sys', 'class', 'dmi', 'id');
    const machine = new Machine(folder);
    await mkdir(dmi, { recursive: true });
    await mkdir(machine.run, { recursive: true });
    await writeFile(join(dmi, 'sys_vendor'), `${vendor}\n`);
    await writeFile(join(dmi, 'product_name'), `${MODEL}\n`);
    return machine;
  }

  /** A command to run others through, on this machine. */
  get through(): readonly string[] {
    return ['unshare', '--mount', 'sh', '-c', SCRIPT, 'sh', this.#folder];
  }
}
