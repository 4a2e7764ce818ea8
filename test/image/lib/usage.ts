/** What a process, and the container around it, hold and have used: from the kernel, on cgroups of either version. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Usage {
  /** Of the process. */
  readonly residentBytes: number;
  readonly anonymousBytes: number;
  readonly peakBytes: number;
  readonly cpuSeconds: number;
  /** Of its cgroup: what a memory limit counts, page cache included; and without it. */
  readonly cgroupBytes: number;
  readonly cgroupAnonymousBytes: number;
}

const CGROUPS = '/sys/fs/cgroup';
/** USER_HZ: the unit of CPU time in /proc/<pid>/stat. */
const TICKS_PER_SECOND = 100;

export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    residentBytes: number(status, 'VmRSS:') * 1024,
    anonymousBytes: number(status, 'RssAnon:') * 1024,
    peakBytes: number(status, 'VmHWM:') * 1024,
    // Fields 14 and 15, behind the name in parentheses: in user and in kernel mode.
    cpuSeconds: (Number(fields[14 - 3]) + Number(fields[15 - 3])) / TICKS_PER_SECOND,
    ...cgroupOf(pid),
  };
}

function cgroupOf(pid: number): Pick<Usage, 'cgroupBytes' | 'cgroupAnonymousBytes'> {
  // Lines "4:memory:/path" (version 1) and "0::/path" (version 2).
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  const [, first] = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.+)$/m.exec(lines) ?? [];
  if (first !== undefined) {
    const folder = join(CGROUPS, 'memory', first);
    return {
      cgroupBytes: Number(readFileSync(join(folder, 'memory.usage_in_bytes'), 'utf8')),
      cgroupAnonymousBytes: number(readFileSync(join(folder, 'memory.stat'), 'utf8'), 'total_rss'),
    };
  }
  const [, second = ''] = /^0::(.+)$/m.exec(lines) ?? [];
  const folder = join(CGROUPS, second);
  if (!existsSync(join(folder, 'memory.current')))
    throw new Error(`Cannot find the memory of the cgroup "${second}"`);
  return {
    cgroupBytes: Number(readFileSync(join(folder, 'memory.current'), 'utf8')),
    cgroupAnonymousBytes: number(readFileSync(join(folder, 'memory.stat'), 'utf8'), 'anon'),
  };
}

/** Of a line "key value", or "key   value kB". */
function number(text: string, key: string): number {
  const value = new RegExp(`^${key}\\s+(\\d+)`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`Cannot find "${key}" in ${JSON.stringify(text.slice(0, 200))}`);
  return Number(value);
}
