/** How src becomes dist, in esbuild's words. */
import type { BuildOptions } from 'esbuild';

const KUBERNETES_CLIENT = '@kubernetes/client-node';

export const BUNDLE = {
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  chunkNames: 'chunks/[name]-[hash]',
  legalComments: 'linked',
  logLevel: 'warning',
  metafile: true,
  // Of the Kubernetes client only its KubeConfig is used; its other half (exec, cp, logs, tar, WebSockets) would come along.
  alias: {
    [KUBERNETES_CLIENT]: `${KUBERNETES_CLIENT}/dist/config.js`,
    undici: './src/fleet/kubernetes/no-undici.ts',
  },
  // The bundled CommonJS libraries (prom-client, ipaddr.js) call require() for Node's own modules.
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
} as const satisfies BuildOptions;

/** For the image: where a kubeconfig's plugins could not be started, the client that reads kubeconfigs is of no use. */
export const BUNDLE_WITHOUT_CLIENT = {
  ...BUNDLE,
  alias: {},
  external: [KUBERNETES_CLIENT],
} as const satisfies BuildOptions;
