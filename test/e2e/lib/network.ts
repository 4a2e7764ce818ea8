/**
 * Two hosts of their own, joined by a cable: network namespaces and a veth pair. "node" is the node, "far" holds
 * every address that the node reaches: the public ones, the X-ENIs, the DNS server. No packet leaves them.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { must } from './command.ts';

export interface Network extends AsyncDisposable {
  /** Names of the namespaces, for `ip netns exec`. */
  readonly node: string;
  readonly far: string;
}

export interface NetworkAddresses {
  readonly node: readonly string[];
  readonly far: readonly string[];
  /** Address of the DNS server, for the node's resolv.conf. */
  readonly resolver: string;
}

/** The namespaces carry the pid of the run that made them, so that runs do not meet and leftovers are known. */
const PREFIX = 'eks-e2e';
let made = 0;

/** Makes the two hosts. Dispose of the result to end every process in them and to remove them. */
export async function makeNetwork(addresses: NetworkAddresses): Promise<Network> {
  await removeLeftovers();
  made += 1;
  const node = `${PREFIX}-${process.pid}-${made}-node`;
  const far = `${PREFIX}-${process.pid}-${made}-far`;
  const remove = async () => {
    await removeHost(node);
    await removeHost(far);
  };
  try {
    await ip([
      `netns add ${node}`,
      `netns add ${far}`,
      `link add name cable netns ${node} type veth peer name cable netns ${far}`,
    ]);
    await configure(node, addresses.node);
    await configure(far, addresses.far);
    // `ip netns exec` mounts the files of this folder over those in /etc.
    await mkdir(`/etc/netns/${node}`, { recursive: true });
    await writeFile(`/etc/netns/${node}/resolv.conf`, `nameserver ${addresses.resolver}\n`);
  } catch (error) {
    await remove();
    throw error;
  }
  return { node, far, [Symbol.asyncDispose]: remove };
}

/** Every other address is one hop away, at the other end of the cable. */
async function configure(host: string, addresses: readonly string[]): Promise<void> {
  const add = addresses.map((address) =>
    // Without duplicate address detection an IPv6 address can be used at once.
    address.includes(':') ? `addr add ${address}/128 dev cable nodad` : `addr add ${address}/32 dev cable`,
  );
  const routes = ['route add default dev cable', '-6 route add default dev cable'];
  await ip(['link set lo up', 'link set cable up', ...add], host);
  for (const route of routes) await must('ip', ['-n', host, ...route.split(' ')]);
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
