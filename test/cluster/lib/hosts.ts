/**
 * Two hosts joined by a cable: the node, and the far one that holds every other address: the control plane's and the
 * DNS server's. No packet leaves them. They have no names on the machine and live as long as this process.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ENVIRONMENT, type Host, must, within } from '../../e2e/lib/command.ts';

const KEEPER = fileURLToPath(new URL('./keeper.sh', import.meta.url));
const CGROUPS = '/sys/fs/cgroup';

export interface Hosts extends AsyncDisposable {
  readonly node: Host;
  readonly far: Host;
  /** The parent of all control groups of the cluster, as kubelet names it. */
  readonly cgroup: string;
}

export interface HostsOptions {
  /** A folder that is there; it is removed in the end. Its name becomes that of the control groups. */
  readonly folder: string;
  /** IPv4 addresses. The far host's first is the one that it calls the node from. */
  readonly node: readonly string[];
  readonly far: readonly string[];
  readonly resolver: string;
  readonly hostname: string;
}

export async function makeHosts(options: HostsOptions): Promise<Hosts> {
  const { folder } = options;
  const cgroup = basename(folder);
  const parents = await cgroupParents();
  // A process group of its own: Ctrl-C ends the tests, and by that the keeper learns of it.
  const keeper = spawn('sh', [KEEPER, folder, cgroup, ...parents], {
    ...{ env: ENVIRONMENT, stdio: ['pipe', 'pipe', 'inherit'], detached: true },
  });
  const lines = createInterface({ input: keeper.stdout })[Symbol.asyncIterator]();
  const exited = once(keeper, 'exit');
  const pids = await pidsOf(lines);
  const hosts: Hosts = {
    ...{ node: hostOf('node', pids.node), far: hostOf('far', pids.far) },
    cgroup: `/${cgroup}`,
    [Symbol.asyncDispose]: async () => {
      keeper.stdin.end();
      await exited;
    },
  };
  try {
    for (const parent of parents) await makeCgroup(parent, cgroup);
    await connect(hosts, pids, options);
    await furnish(hosts.node, options);
  } catch (error) {
    await hosts[Symbol.asyncDispose]();
    throw error;
  }
  return hosts;
}

interface Pids {
  readonly node: string;
  readonly far: string;
}

/** Waits until both hosts are up. */
async function pidsOf(lines: AsyncIterator<string>): Promise<Pids> {
  const said: string[] = [];
  for (let line = await lines.next(); !line.done; line = await lines.next()) {
    said.push(line.value);
    if (said.length < 3) continue;
    const [node = '', far = ''] = said.find((each) => each !== 'up')?.split(' ') ?? [];
    return { node, far };
  }
  throw new Error('Cannot make the hosts of a cluster: their keeper has ended');
}

/** The pid is that of the program which made the namespaces, and the parent of the first process in them. */
function hostOf(name: string, pid: string): Host {
  const ns = `/proc/${pid}/ns`;
  const spaces = [`--mount=${ns}/mnt`, `--net=${ns}/net`, `--uts=${ns}/uts`, `--pid=${ns}/pid_for_children`];
  return { name, enter: ['nsenter', ...spaces, '--'] };
}

/** Each hierarchy of version 1, or the one of version 2. Version 2 beside version 1 has nothing in it. */
async function cgroupParents(): Promise<readonly string[]> {
  const names = await readdir(CGROUPS);
  if (names.includes('cgroup.controllers')) return [CGROUPS];
  const entries = await readdir(CGROUPS, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && entry.name !== 'unified')
    .map(({ name }) => join(CGROUPS, name));
}

/** What kubelet sets limits by. */
const CONTROLLERS = '+cpu +cpuset +memory +pids';

/**
 * A control group, which with version 2 has the controllers that kubelet needs: there each group says what those below it
 * get. Written by the kernel's Documentation/admin-guide/cgroup-v2.rst and run with version 1 only: the machines of
 * these tests had no other yet.
 */
async function makeCgroup(parent: string, name: string): Promise<void> {
  const folder = join(parent, name);
  await mkdir(folder);
  if (parent !== CGROUPS) return;
  for (const each of [parent, folder]) {
    const file = join(each, 'cgroup.subtree_control');
    await writeFile(file, CONTROLLERS).catch((cause) => {
      const remedy = 'a group with processes of its own has none to give: they belong into one below it';
      throw new Error(`Cannot write "${CONTROLLERS}" to "${file}": ${cause.message}; ${remedy}`, { cause });
    });
  }
}

/** Every other address is one hop away, at the other end of the cable. */
async function connect({ node, far }: Hosts, pids: Pids, options: HostsOptions): Promise<void> {
  // Not as the far host, which knows no other's processes.
  const cable = `link add cable type veth peer name cable netns ${pids.node}`.split(' ');
  await must('nsenter', [`--net=/proc/${pids.far}/ns/net`, 'ip', ...cable]);
  for (const [host, addresses] of [
    [node, options.node],
    [far, options.far],
  ] as const) {
    const commands = [
      ...['link set lo up', 'link set cable up'],
      ...addresses.map((address) => `addr add ${address}/32 dev cable`),
      `route add default dev cable src ${addresses[0]}`,
    ];
    await must(...within(host, ['ip', '-batch', '-']), commands.join('\n'));
  }
}

/**
 * What kubelet and containerd write to, and what tells the node who it is, becomes the folder's. The settings of the
 * kernel are the machine's, and kubelet would change them: it is given files of the same content instead.
 */
const FURNISH = `set -e
folder=$1; hostname "$2"
mount --make-rshared /
mkdir -p "$folder/lib" "$folder/log" "$folder/sys"
for one in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys \\
  kernel/keys/root_maxbytes; do
  mkdir -p "$folder/sys/\${one%/*}"
  cat "/proc/sys/$one" >"$folder/sys/$one"
  mount --bind "$folder/sys/$one" "/proc/sys/$one"
done
[ ! -d /sys/fs/cgroup/unified ] || umount /sys/fs/cgroup/unified
mount --bind "$folder/lib" /var/lib
mount --bind "$folder/log" /var/log
resolv=$(readlink -f /etc/resolv.conf)
mount -t tmpfs tmpfs /run
mkdir -p "\${resolv%/*}"
[ -e "$resolv" ] || : >"$resolv"
mount --bind "$folder/resolv.conf" "$resolv"
mount --bind "$folder/hosts" /etc/hosts`;

async function furnish(node: Host, { folder, resolver, hostname }: HostsOptions): Promise<void> {
  await writeFile(join(folder, 'resolv.conf'), `nameserver ${resolver}\n`);
  await writeFile(join(folder, 'hosts'), '127.0.0.1 localhost\n::1 localhost\n');
  await must(...within(node, ['sh', '-c', FURNISH, 'sh', folder, hostname]));
}
