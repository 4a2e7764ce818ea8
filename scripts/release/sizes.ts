/** How much a node fetches: an image's index and manifests, https://github.com/opencontainers/image-spec. */
import type { Engine } from './options.ts';
import type { Command, Shell } from './shell.ts';

export interface PlatformSize {
  /** `linux/arm64`. */
  readonly platform: string;
  /** Of all layers, compressed, those of the base too. */
  readonly bytes: number;
}

interface Index {
  readonly manifests?: readonly {
    readonly digest: string;
    readonly platform?: { readonly os: string; readonly architecture: string };
  }[];
}
interface Manifest {
  readonly layers?: readonly { readonly size: number }[];
}

/** Null, and a sentence said, where the registry could not be asked. On a dry run null. */
export function sizesOf(shell: Shell, engine: Engine, reference: string): readonly PlatformSize[] | null {
  const [name = ''] = reference.split('@');
  const read = (digest: string): (Index & Manifest) | null => {
    const answer = shell.attempt(...rawManifest(engine, digest));
    if (answer === null) return null;
    if (answer.code !== 0) throw new Error(answer.stderr.trim());
    return JSON.parse(answer.stdout);
  };
  try {
    const index = read(reference);
    if (index === null) return null;
    return platformsOf(index).map(({ digest, platform }) => ({
      platform,
      bytes: layersOf(read(`${name}@${digest}`)).reduce((sum, { size }) => sum + size, 0),
    }));
  } catch (error) {
    shell.say(`The sizes could not be asked for: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

/** podman 4 itself does not show one manifest of a registry as it is; skopeo, of the same makers, does. */
function rawManifest(engine: Engine, reference: string): Command {
  return engine === 'docker'
    ? ['docker', 'buildx', 'imagetools', 'inspect', '--raw', reference]
    : ['skopeo', 'inspect', '--raw', `docker://${reference}`];
}

/** buildx adds attestations to the index, as manifests of the platform "unknown". */
function platformsOf({ manifests = [] }: Index) {
  const found = manifests.flatMap(({ digest, platform }) =>
    platform === undefined || platform.os === 'unknown'
      ? []
      : [{ digest, platform: `${platform.os}/${platform.architecture}` }],
  );
  if (found.length === 0) throw new TypeError('what was pushed is no index of platforms');
  return found;
}

function layersOf(manifest: Manifest | null) {
  if (manifest?.layers === undefined) throw new TypeError('a manifest has no layers');
  return manifest.layers;
}
