/**
 * Two hosts of their own, joined by a cable: network namespaces and a veth pair. "node" is the node, "far" holds
 * every address that the node reaches: the public ones, the X-ENIs, the DNS server. No packet leaves them.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ENVIRONMENT, type Host, must } from './command.ts';

export interface Network extends AsyncDisposable {
  /** With processes of its own: none of those elsewhere on the machine are seen there. */
  readonly node: Host;
  readonly far: Host;
  /** The node's processes in the far network: a pod that has a network of its own. */
  readonly pod: Host;
  /** Where the node's /proc is, seen from here. */
  readonly proc: string;
  /** Path of the namespace that the node's processes are in. */
  readonly pids: string;
  /** What is sent to an address of the far host is lost from now on, as at a security group that does not allow it. */
  silence(address: string): Promise<void>;
  /** The end of that. */
  restore(address: string): Promise<void>;
  /** The node's resolv.conf, of every process in it. */
  setResolver(address: string): Promise<void>;
  /** The node's hosts file, likewise. */
  setHosts(lines: readonly string[]): Promise<void>;
}

export interface NetworkAddresses {
  readonly node: readonly string[];
  readonly far: readonly string[];
  /** Address of the DNS server, for the node's resolv.conf. */
  readonly resolver: string;
}

/** The namespaces carry the pid of the run that made them, so that runs do not meet and leftovers are known. */
const PREFIX = 'eks-e2e';
const FAR_MAC = '02:00:00:00:00:01';
let made = 0;
/** Labs are made at once: who comes second must not remove what the first is removing. */
let removed: Promise<void> = Promise.resolve();

/** Makes the two hosts. Dispose of the result to end every process in them and to remove them. */
export async function makeNetwork(addresses: NetworkAddresses): Promise<Network> {
  removed = removed.catch(() => {}).then(removeLeftovers);
  await removed;
  made += 1;
  const node = `${PREFIX}-${process.pid}-${made}-node`;
  const far = `${PREFIX}-${process.pid}-${made}-far`;
  const remove = async () => {
    await removeHost(node);
    await removeHost(far);
  };
  const files = `/etc/netns/${node}`;
  const setResolver = (address: string) => writeFile(join(files, 'resolv.conf'), `nameserver ${address}\n`);
  const setHosts = (lines: readonly string[]) =>
    writeFile(join(files, 'hosts'), ['127.0.0.1 localhost', '::1 localhost', ...lines, ''].join('\n'));
  let init: Init;
  try {
    await ip([
      `netns add ${node}`,
      `netns add ${far}`,
      `link add name cable netns ${node} type veth peer name cable address ${FAR_MAC} netns ${far}`,
    ]);
    await configure(node, addresses.node);
    await configure(far, addresses.far);
    // `ip netns exec` mounts the files of this folder over those in /etc; who writes them in place changes those.
    await mkdir(files, { recursive: true });
    await setResolver(addresses.resolver);
    await setHosts([]);
    init = await startInit(node, far);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    ...{ node: init.node, far: init.far, pod: init.pod, proc: init.proc, pids: init.pids },
    ...{ setResolver, setHosts, [Symbol.asyncDispose]: remove },
    // The neighbour stays known: else the node would soon say by itself that there is no such host.
    silence: async (address) => {
      await ip([`neigh replace ${address} lladdr ${FAR_MAC} dev cable nud permanent`], node);
      await ip([`addr del ${withLength(address)} dev cable`], far);
    },
    restore: (address) => ip([add(address)], far),
  };
}

type Init = Pick<Network, 'node' | 'far' | 'pod' | 'proc' | 'pids'>;

/**
 * Starts the node's first process. The others follow it into its namespaces of network, mounts and processes, and end
 * when it does.
 */
async function startInit(node: string, far: string): Promise<Init> {
  const command = [
    'unshare',
    '--mount',
    '--pid',
    '--fork',
    '--mount-proc',
    'sh',
    '-c',
    'echo up; exec sleep infinity',
  ];
  const child = spawn('ip', ['netns', 'exec', node, ...command], {
    ...{ env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'inherit'] },
  });
  await once(child.stdout, 'data');
  const ns = `/proc/${child.pid}/ns`;
  const enter = ['nsenter', `--mount=${ns}/mnt`, `--pid=${ns}/pid_for_children`] as const;
  return {
    node: { name: node, enter: [...enter, `--net=${ns}/net`, '--'] },
    far: { name: far, enter: ['ip', 'netns', 'exec', far] },
    pod: { name: far, enter: [...enter, `--net=/run/netns/${far}`, '--'] },
    proc: `/proc/${child.pid}/root/proc`,
    pids: `${ns}/pid_for_children`,
  };
}

/** Every other address is one hop away, at the other end of the cable. */
async function configure(host: string, addresses: readonly string[]): Promise<void> {
  const routes = ['route add default dev cable', '-6 route add default dev cable'];
  await ip(['link set lo up', 'link set cable up', ...addresses.map(add)], host);
  for (const route of routes) await must('ip', ['-n', host, ...route.split(' ')]);
}

function add(address: string): string {
  // Without duplicate address detection an IPv6 address can be used at once.
  return `addr add ${withLength(address)} dev cable${address.includes(':') ? ' nodad' : ''}`;
}

function withLength(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

async function ip(commands: readonly string[], host?: string): Promise<void> {
  const where = host === undefined ? [] : ['-n', host];
  await must('ip', [...where, '-batch', '-'], commands.join('\n'));
}

/** Removes the hosts of runs that ended without doing so. */
async function removeLeftovers(): Promise<void> {
  for (const host of await hosts()) {
    const pid = new RegExp(`^${PREFIX}-(\\d+)-`).exec(host)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await removeHost(host);
  }
}

async function removeHost(host: string): Promise<void> {
  if ((await hosts()).includes(host)) {
    const pids = (await must('ip', ['netns', 'pids', host])).split('\n').filter((pid) => pid !== '');
    for (const pid of pids) kill(Number(pid));
    await must('ip', ['netns', 'delete', host]);
  }
  await rm(`/etc/netns/${host}`, { recursive: true, force: true });
}

/** The lines are `name (id: 0)`, the latter where it has one. */
async function hosts(): Promise<readonly string[]> {
  return (await must('ip', ['netns', 'list'])).split('\n').map((line) => line.split(' ')[0] ?? '');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in between.
  }
}
