/**
 * Writes docs/images anew: the page of the demo's node while its connections are stale, in both themes. The story is
 * played with a quarter of an hour for each phase. Needs a Chromium (/usr/bin/chromium).
 */
import { statSync } from 'node:fs';
import { visit } from '../test/screen/lib/browser.ts';
import { playStory } from '../test/screen/lib/played-story.ts';
import { Scene } from '../test/screen/lib/scene.ts';

const MINUTES_A_PHASE = 15;
const SHOWN = { width: 1160, height: 950 };
/** What a README should weigh. */
const MOST_BYTES = 150_000;

const stale = (await playStory(MINUTES_A_PHASE)).find(({ name }) => name === 'stale');
if (stale === undefined) throw new RangeError('Cannot find the phase "stale"');
const scene = new Scene(stale.status);
await scene.start();
try {
  for (const colorScheme of ['light', 'dark'] as const) {
    const path = `docs/images/page-${colorScheme}.png`;
    await visit(scene.url, { colorScheme, viewport: SHOWN }, async ({ page, complaints }) => {
      if (complaints.length > 0) throw new Error(complaints.join('\n'));
      await page.screenshot({ path });
    });
    const { size } = statSync(path);
    if (size > MOST_BYTES) throw new RangeError(`${path} has ${size} bytes`);
  }
} finally {
  await scene.stop();
}
