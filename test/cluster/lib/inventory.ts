/** Everything that there is of a cluster, in its API and on its node, to be compared later. */
import { must, within } from '../../e2e/lib/command.ts';
import type { Cluster } from './cluster.ts';

/** Come and go by themselves, or are no objects. */
const FLEETING = /^(events|componentstatuses)(\.|$)/;

/** Lines `kind namespace/name` of all that the API lists, and `process`, `container`, `cgroup`, `mount`, `folder` lines. */
export async function inventory(cluster: Cluster): Promise<readonly string[]> {
  const listed = await cluster.kubectl(['api-resources', '--verbs=list', '--output=name']);
  const kinds = listed.split('\n').filter((kind) => kind !== '' && !FLEETING.test(kind));
  const line = '{range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{"\\n"}{end}';
  const get = ['get', kinds.join(), '--all-namespaces', `--output=jsonpath=${line}`];
  const objects = await cluster.kubectl(get);
  const { node, cgroup } = cluster.hosts;
  const onNode = await must(...within(node, ['sh', '-c', SCRIPT, 'sh', cgroup]));
  const containers = await cluster.containerd.containers();
  const items = [...`${objects}\n${onNode}`.split('\n'), ...containers.map((id) => `container ${id}`)];
  return numbered(items.filter((item) => item !== '').sort());
}

/** Of the control groups those of pods: their parents are kubelet's, and stay. The first argument is the parent of all. */
const SCRIPT = `cat /proc/[0-9]*/comm | grep -vx -e sh -e cat -e sed -e grep | sed 's/^/process /'
find /sys/fs/cgroup/*"$1" /sys/fs/cgroup"$1" -path '*/pod*' -type d 2>/dev/null | sed 's/^/cgroup /'
sed 's/^\\([^ ]* \\)\\{4\\}\\([^ ]*\\).*/mount \\2/' /proc/self/mountinfo | grep -e ' /var/lib/' -e ' /run/containerd/'
find /var/lib/kubelet/pods /run/containerd -maxdepth 3 -type d 2>/dev/null | sed 's/^/folder /'`;

/** The second of two that are the same is told from the first. */
function numbered(items: readonly string[]): readonly string[] {
  return items.map((item, index) => {
    const count = items.slice(0, index).filter((each) => each === item).length;
    return count === 0 ? item : `${item} (${count + 1})`;
  });
}

/** What there is more, and what there is less. */
export function difference(now: readonly string[], before: readonly string[]): readonly string[] {
  const added = now.filter((item) => !before.includes(item)).map((item) => `more: ${item}`);
  return [...added, ...before.filter((item) => !now.includes(item)).map((item) => `less: ${item}`)];
}
