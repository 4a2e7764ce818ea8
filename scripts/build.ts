/** Bundles src/main.ts into dist/: one file that the agent runs, and a chunk for whatever a command loads later. */
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { writeInventory } from './inventory.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

rmSync('dist', { recursive: true, force: true });
const { metafile } = await build({
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
  define: { __VERSION__: JSON.stringify(version), __REVISION__: JSON.stringify(revision()) },
  // The bundled CommonJS libraries (prom-client, ipaddr.js) call require() for Node's own modules.
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
});
chmodSync('dist/main.js', 0o755);
// So that the folder runs wherever it is copied to.
writeFileSync('dist/package.json', `${JSON.stringify({ type: 'module' })}\n`);
writeInventory(metafile, 'dist', revision());

/** The commit that is built: $REVISION where there is no git (an image build), else git's HEAD, else "unknown". */
function revision(): string {
  if (process.env['REVISION']) return process.env['REVISION'];
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
