/**
 * Bundles src/main.ts into dist/: one file that the agent runs, and a chunk for whatever a command loads later.
 * `--without-kubernetes-client`: as for the image.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { BUNDLE, BUNDLE_WITHOUT_CLIENT } from './bundle.ts';
import { writeInventory } from './inventory.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

const { values: wanted } = parseArgs({ options: { 'without-kubernetes-client': { type: 'boolean' } } });

rmSync('dist', { recursive: true, force: true });
const { metafile } = await build({
  ...(wanted['without-kubernetes-client'] ? BUNDLE_WITHOUT_CLIENT : BUNDLE),
  define: { __VERSION__: JSON.stringify(version), __REVISION__: JSON.stringify(revision()) },
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
