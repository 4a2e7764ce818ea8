/**
 * Asks `system()` and `osInfo()` of systeminformation. The only file that knows that library.
 *
 * What 5.33 does for the two on Linux (lib/system.js, lib/osinfo.js): nine commands through /bin/sh, found by PATH,
 * without a time limit: dmidecode, cat, ls, dmesg, hostname; five of them by `execSync`. So the event loop stands still
 * for most of 60 ms, and for as long as `hostname -f` waits for a DNS that does not answer; no deadline could end that,
 * and no SIGTERM. Each failure is caught or ignored: in an image without a shell the same fields come back empty,
 * without an error. It prints nothing.
 *
 * And a process of uid 0 with SYS_PTRACE must start nothing. So the library is loaded with a `child_process` that
 * refuses, and keeps it: everywhere it says what it says in an image without a shell, in 3 ms, and nothing is left
 * behind. What it then has is from files and from Node (the kernel, the architecture, a Raspberry Pi by /proc/cpuinfo,
 * WSL). What its commands would read of DMI, `dmi.ts` reads.
 */
// biome-ignore lint/style/noRestrictedImports: it is taken from the library that would use it; nothing is started
import childProcess from 'node:child_process';
import { factOf, type Machine } from '../model/machine.ts';

/** Rejects where the library does. "Docker Container" and the like are no facts. */
export async function askSystemInformation(): Promise<Machine> {
  const { system, osInfo } = await loadWithoutPrograms();
  const [{ manufacturer, model }, { kernel, arch }] = await Promise.all([system(), osInfo()]);
  return {
    kernel: factOf(kernel),
    arch: factOf(arch),
    vendor: factOf(manufacturer),
    model: factOf(model),
  };
}

/** What systeminformation takes of `node:child_process`: it does so once, when it is loaded. */
const REFUSING = {
  exec: refuseLater,
  execFile: refuseLater,
  execFileSync: refuse,
  execSync: refuse,
  fork: refuse,
  spawn: refuse,
  spawnSync: refuse,
};

async function loadWithoutPrograms() {
  const real = { ...childProcess };
  Object.assign(childProcess, REFUSING);
  try {
    // CommonJS: bundled it has no named exports.
    return (await import('systeminformation')).default;
  } finally {
    Object.assign(childProcess, real);
  }
}

function refuse(): never {
  throw new Error('Cannot start a program: this process must start none');
}

/** As `exec` does where there is no shell: an error and no output, to the callback. */
function refuseLater(...parameters: readonly unknown[]): void {
  const error = new Error('Cannot start a program: this process must start none');
  for (const callback of parameters) {
    if (typeof callback === 'function') queueMicrotask(() => callback(error, '', ''));
  }
}
