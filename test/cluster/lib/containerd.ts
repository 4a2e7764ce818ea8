/** containerd on the node. Images come from files, never from a registry. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Host, must, run, within } from '../../e2e/lib/command.ts';
import { PATH } from '../../e2e/lib/tools.ts';
import type { Daemons } from './daemon.ts';
import { makeImage } from './images.ts';
import type { Binaries } from './kubernetes.ts';

export interface ContainerdOptions {
  readonly host: Host;
  /** Does not exist yet. */
  readonly folder: string;
  readonly daemons: Daemons;
  readonly binaries: Binaries;
}

/** Where kubelet finds it. */
export const SOCKET = '/run/containerd/containerd.sock';
const PAUSE = 'docker.io/library/pause:1';

export class Containerd {
  readonly #options: ContainerdOptions;

  private constructor(options: ContainerdOptions) {
    this.#options = options;
  }

  /** Starts it and waits until it answers. It has the image of the pods' sandboxes then. */
  static async start(options: ContainerdOptions): Promise<Containerd> {
    const { host, folder, daemons, binaries } = options;
    await mkdir(folder);
    const config = join(folder, 'containerd.toml');
    await writeFile(config, configuration(folder));
    // Pods have the network of the host, and need none of their own: but a file has to say that there is one.
    await writeFile(join(folder, '10-none.conf'), '{"cniVersion": "1.0.0", "name": "none", "type": "none"}');
    // containerd looks for its shim, and the shim for runc, on the PATH.
    await daemons.start('containerd', {
      ...{ host, command: [binaries.path('containerd'), `--config=${config}`] },
      env: { PATH: `${binaries.folder}:${PATH}` },
    });
    const containerd = new Containerd(options);
    await daemons.eventually('containerd answers', async () => {
      return (await run(...containerd.#ctr(['version']))).code === 0;
    });
    const pause = { name: PAUSE, program: binaries.path('pause'), folder: join(folder, 'pause') };
    await containerd.importImage(await makeImage(pause));
    return containerd;
  }

  /** Takes the image in an archive, as `docker save` writes it, under the name that it has there. */
  async importImage(archive: string): Promise<void> {
    await must(...this.#ctr(['images', 'import', archive]));
  }

  /** Ids of the containers that there are, those that have ended included. */
  async containers(): Promise<readonly string[]> {
    const ids = await must(...this.#ctr(['containers', 'list', '--quiet']));
    return ids.split('\n').filter((line) => line !== '');
  }

  #ctr(args: readonly string[]): ReturnType<typeof within> {
    const { host, binaries } = this.#options;
    return within(host, [binaries.path('ctr'), `--address=${SOCKET}`, '--namespace=k8s.io', ...args]);
  }
}

/**
 * Without what the node lacks: the right to save processes from the kernel's out-of-memory killer, AppArmor, other
 * snapshotters than overlayfs, and plugins that keep files outside of the folders given here.
 */
function configuration(folder: string): string {
  return `version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.nri.v1.nri", "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.erofs",
  "io.containerd.snapshotter.v1.blockfile"]
[grpc]
address = "${SOCKET}"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "${PAUSE}"
[plugins."io.containerd.cri.v1.runtime"]
disable_apparmor = true
restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["${folder}"]
conf_dir = "${folder}"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
SystemdCgroup = false
`;
}
