/** The page in a real Chromium, served by the real server: at each step of a migration, in both themes, on a phone. */
import axe from 'axe-core';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runDemo } from '../../src/commands/demo.ts';
import { judgeAge } from '../../src/model/age.ts';
import type { NodeStatus } from '../../src/model/status.ts';
import { configOf } from '../support/invocation.ts';
import { Watch } from '../support/observation.ts';
import { testRuntime } from '../support/runtime.ts';
import { visit } from './lib/browser.ts';
import { playStory } from './lib/played-story.ts';
import { Scene } from './lib/scene.ts';

const DESKTOP = { width: 1280, height: 900 };
const LIGHT: BrowserContextOptions = { colorScheme: 'light', viewport: DESKTOP };
const SCREENS: Readonly<Record<string, BrowserContextOptions>> = {
  light: LIGHT,
  dark: { colorScheme: 'dark', viewport: DESKTOP },
  'phone, light': { colorScheme: 'light', viewport: { width: 360, height: 740 } },
  'phone, dark': { colorScheme: 'dark', viewport: { width: 360, height: 740 } },
};

const X_ENI = ['192.168.1.231'];
const ON_X_ENI = { process: 'kubelet', peer: '192.168.1.231:443' };
const ON_PUBLIC = { process: 'kubelet', peer: '3.34.148.207:443' };

let story: Readonly<Record<string, NodeStatus>> = {};

beforeAll(async () => {
  story = Object.fromEntries((await playStory(15)).map(({ name, status }) => [name, status]));
});

const scenes: Scene[] = [];
afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.stop();
});

async function show(status: NodeStatus | null): Promise<Scene> {
  const scene = new Scene(status);
  scenes.push(scene);
  await scene.start();
  return scene;
}

function phase(name: string): NodeStatus {
  const status = story[name];
  if (status === undefined) throw new RangeError(`Cannot find the phase ${JSON.stringify(name)}`);
  return status;
}

/** The states beside those of a migration that goes well. */
function otherStates(): Readonly<Record<string, NodeStatus | null>> {
  const node = { processes: [{ client: 'kubelet', pid: 100 }], dns: X_ENI, slice: X_ENI };
  const failing = new Watch({ expect: 'x-eni', probeIntervalMs: 60_000 });
  const probes = [{ address: '192.168.1.231', failedStage: 'tcp' as const, error: 'no answer in 3 s' }];
  failing.look({ ...node, sockets: [ON_X_ENI], probes });
  return {
    'no look yet': null,
    outdated: judgeAge(phase('moved'), 600_000, 10_000),
    blind: new Watch({ expect: 'x-eni' }).look({ failed: ['sockets', 'owners'], endpoint: null }),
    none: new Watch({ expect: 'x-eni' }).look(node),
    mixed: new Watch({ expect: 'x-eni' }).look({ ...node, sockets: [ON_PUBLIC, ON_X_ENI] }),
    'an X-ENI does not answer': failing.look({ ...node, sockets: [ON_X_ENI], probes }),
    'public, as expected': new Watch({ expect: 'public' }).look({ ...node, sockets: [ON_PUBLIC] }),
    hostile: hostile(phase('stale')),
  };
}

const HOSTILE = '"><script>document.title="obeyed"</script>\'<img src=x onerror=document.title="obeyed">';

function hostile(status: NodeStatus): NodeStatus {
  return {
    ...status,
    node: HOSTILE,
    routeReason: HOSTILE,
    endpoint: { hostname: HOSTILE, port: 443, source: 'flag' },
    dns: status.dns && { ...status.dns, servers: [HOSTILE] },
    clients: status.clients.map((client) => ({ ...client, client: HOSTILE })),
    findings: status.findings.map((finding) => ({ ...finding, client: HOSTILE, summary: HOSTILE })),
    stages: status.stages.map((stage) => ({ ...stage, success: false, error: HOSTILE })),
    events: [{ at: status.observedAt, event: 'client', detail: HOSTILE.repeat(3) }],
  };
}

/** What axe finds that is serious or worse, each with where. */
async function barriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate<
    readonly string[]
  >(`axe.run(document, { preload: false, resultTypes: ['violations'] }).then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))`);
}

async function headline(page: Page): Promise<string> {
  return (await page.innerText('.headline h1')).replace(/\s+/g, ' ');
}

/** The colours as they are seen, of text and what is behind it. */
function colors(page: Page): Promise<readonly string[]> {
  return page.evaluate<readonly string[]>(`(() => {
    const section = getComputedStyle(document.querySelector('.headline'));
    return [getComputedStyle(document.querySelector('.headline h1')).color, section.backgroundColor, section.borderLeftColor];
  })()`);
}

async function expectSound(page: Page, complaints: readonly string[], name: string): Promise<void> {
  expect(await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth'), name).toBe(0);
  expect(complaints, name).toEqual([]);
  expect(await barriers(page), name).toEqual([]);
}

describe.each(Object.entries(SCREENS))('%s', (_name, options) => {
  test('each step of a migration: the route, its colour, findings and gates; no error, no barrier, no scrolling aside', async () => {
    const scene = await show(phase('public'));
    await visit(scene.url, options, async ({ page, complaints }) => {
      const seen: string[] = [];
      for (const [name, status] of Object.entries(story)) {
        scene.status = status;
        await page.goto(scene.url);
        const gates = await page.locator('.gate h3').allInnerTexts();
        const findings = await page.locator('.finding h3').allInnerTexts();
        const tone = await page.getAttribute('.headline', 'class');
        const found = findings.map((text) => text.replace(/\s+/g, ' ').trim()).join('; ');
        seen.push(
          [
            name,
            await headline(page),
            tone,
            gates.map((text) => text.replace(/\s+/g, ' ')).join(', '),
            found,
          ].join(' | '),
        );
        await expectSound(page, complaints, name);
      }
      expect(seen).toEqual([
        'public | Node route: public | headline bad | private-ready true, public-free false | warning DnsPublic 3.34.148.207',
        'flipped | Node route: public | headline bad | private-ready true, public-free false | info ConnectionMoving kubelet, 3.34.148.207; info ConnectionMoving kube-proxy, 3.38.61.180',
        'stale | Node route: public | headline bad | private-ready true, public-free false | warning StaleConnection kubelet, 3.34.148.207; warning StaleConnection kube-proxy, 3.38.61.180',
        'moved | Node route: x-eni | headline good | private-ready true, public-free true | ',
      ]);
    });
  });

  test('every other state: no error, no barrier, no scrolling aside, nothing obeyed', async () => {
    const scene = await show(null);
    await visit(scene.url, options, async ({ page, complaints }) => {
      for (const [name, status] of Object.entries(otherStates())) {
        scene.status = status;
        scene.nowMs = status === null ? 0 : null;
        await page.goto(scene.url);
        for (const summary of await page.locator('summary').all()) await summary.click();
        await expectSound(page, complaints, name);
        expect(await page.title(), name).not.toBe('obeyed');
      }
      expect(await page.innerText('header')).toContain(HOSTILE);
    });
  });
});

test('a violation of the policy and a request elsewhere do not pass these tests unseen', async () => {
  const scene = await show(phase('moved'));
  await visit(scene.url, LIGHT, async ({ page, complaints }) => {
    await page.evaluate(
      `document.body.insertAdjacentHTML('beforeend', '<p onclick="document.title=1">x</p><p style="color:red">y</p><img src="http://example.test/x.png">')`,
    );
    await expect
      .poll(() => complaints.filter((text) => /inline style|inline event handler/i.test(text)).length)
      .toBe(2);
    await expect
      .poll(() => complaints.filter((text) => /img-src|images? from|loading the image/i.test(text)).length)
      .toBeGreaterThan(0);
  });
});

test('nothing is green that is too old, in neither theme', async () => {
  const moved = phase('moved');
  const scene = await show(moved);
  for (const colorScheme of ['light', 'dark'] as const) {
    await visit(scene.url, { ...LIGHT, colorScheme }, async ({ page }) => {
      scene.status = moved;
      await page.goto(scene.url);
      const [green = ''] = await colors(page);
      expect(await usedColors(page)).toContain(green);
      scene.status = judgeAge(moved, 600_000, 10_000);
      await page.goto(scene.url);
      expect(await headline(page)).toContain('unknown');
      const used = await usedColors(page);
      expect(used.length).toBeGreaterThan(3);
      expect(used).not.toContain(green);
    });
  }
});

/** Long enough for the page to ask once more, by its own clock. */
const REFRESH_MS = 5_000;

/** The page anew, by a clock of its own that can be stepped. */
async function step(page: Page): Promise<(ms: number) => Promise<void>> {
  await page.clock.install();
  await page.reload();
  return (ms) => page.clock.runFor(ms);
}

/** Every colour on the page, of text, backgrounds, borders and figures. */
function usedColors(page: Page): Promise<readonly string[]> {
  return page.evaluate<
    readonly string[]
  >(`[...new Set([...document.querySelectorAll('main, main *')].flatMap((one) => {
    const { color, backgroundColor, borderLeftColor, fill, stroke } = getComputedStyle(one);
    return [color, backgroundColor, borderLeftColor, fill, stroke];
  }))]`);
}

describe('it refreshes itself', () => {
  test('what changed is taken over; focus, selection, what is unfolded and the place stay', async () => {
    const scene = await show(phase('stale'));
    await visit(
      scene.url,
      { ...LIGHT, viewport: { width: 1280, height: 500 } },
      async ({ page, complaints }) => {
        const pass = await step(page);
        await page.locator('summary', { hasText: 'The same as text' }).click();
        await page.evaluate(`document.querySelector('.gate').mine = true`);
        await page.locator('footer a').first().focus();
        await page.evaluate(
          `getSelection().selectAllChildren(document.querySelector('[data-key=private-ready] h3'))`,
        );
        const selected = await page.evaluate<string>('String(getSelection())');
        await page.evaluate('scrollTo(0, 400)');
        const asked = scene.asked;
        scene.status = phase('moved');
        await pass(REFRESH_MS);
        await page.locator('.headline.good').waitFor({ timeout: 12_000 });
        expect(scene.asked).toBeGreaterThan(asked);
        expect(await headline(page)).toContain('x-eni');
        expect(await page.title()).toBe('x-eni - ip-192-168-1-204');
        expect(await page.locator('.finding').count()).toBe(0);
        expect(await page.locator('details[open]').count()).toBe(1);
        expect(
          await page.evaluate<boolean>(`document.activeElement === document.querySelector('footer a')`),
        ).toBe(true);
        expect(await page.evaluate<string>('String(getSelection())')).toBe(selected);
        expect(await page.evaluate<boolean>(`document.querySelector('.gate').mine`)).toBe(true);
        expect(await page.evaluate<number>('scrollY')).toBeGreaterThan(0);
        expect(complaints).toEqual([]);
      },
    );
  });

  test('a button in a list keeps its focus while rows come and go before it', async () => {
    const stale = phase('stale');
    const scene = await show(stale);
    await visit(scene.url, LIGHT, async ({ page }) => {
      const pass = await step(page);
      const button = page.locator('.finding').nth(1).locator('button.all');
      await button.focus();
      scene.status = { ...stale, findings: stale.findings.slice(1) };
      await pass(REFRESH_MS);
      await expect.poll(() => page.locator('.finding').count(), { timeout: 12_000 }).toBe(1);
      expect(await page.evaluate<string>(`document.activeElement.closest('.finding').dataset.key`)).toContain(
        'kube-proxy',
      );
    });
  });

  test('a page that has no answer says so and for how long, and loses its colours; it recovers', async () => {
    const scene = await show(phase('moved'));
    await visit(scene.url, LIGHT, async ({ page }) => {
      const pass = await step(page);
      const before = await colors(page);
      const tab = () => page.getAttribute('link[rel=icon]', 'href');
      const green = await tab();
      expect(await page.locator('#lost').isVisible()).toBe(false);
      await scene.stop();
      await pass(REFRESH_MS);
      await page.locator('#lost').waitFor({ state: 'visible', timeout: 12_000 });
      await expect
        .poll(() => page.innerText('#lost'), { timeout: 5_000 })
        .toMatch(/No answer from the agent for \d+ s: what stands here/);
      const lostFor = async () => Number(/\d+/.exec(await page.innerText('#lost'))?.[0]);
      const first = await lostFor();
      await pass(3_000);
      expect(await lostFor()).toBeGreaterThanOrEqual(first + 2);
      // The colours change within a moment.
      await expect.poll(() => colors(page)).not.toContain(before[0]);
      for (const color of before) expect(await usedColors(page)).not.toContain(color);
      expect(await page.title()).toMatch(/^No answer/);
      expect(await tab()).not.toBe(green);
      await scene.start();
      await pass(REFRESH_MS);
      await page.locator('#lost').waitFor({ state: 'hidden', timeout: 12_000 });
      await expect.poll(() => colors(page)).toEqual(before);
      expect(await tab()).toBe(green);
      expect(await page.title()).toBe('x-eni - ip-192-168-1-204');
    });
  });

  test('what is not the whole page is no answer: a login form of a proxy, a 503, half a page', async () => {
    const scene = await show(phase('moved'));
    await visit(scene.url, LIGHT, async ({ page }) => {
      const pass = await step(page);
      const whole = await (await fetch(scene.url)).text();
      const lost = page.locator('#lost');
      for (const answer of [
        { contentType: 'text/html', body: '<h1>Log in</h1>' },
        { contentType: 'text/html', body: whole, status: 503 },
        { contentType: 'text/html', body: whole.slice(0, whole.indexOf('id="hour-heading"')) },
      ]) {
        await page.route('**/*', (route) => route.fulfill(answer));
        await pass(REFRESH_MS);
        await lost.waitFor({ state: 'visible', timeout: 12_000 });
        expect(await headline(page)).toContain('x-eni');
        expect(await page.locator('#findings').count()).toBe(1);
        await page.unroute('**/*');
        await pass(REFRESH_MS);
        await lost.waitFor({ state: 'hidden', timeout: 12_000 });
      }
    });
  });

  test('another node that answers is not taken for this one, and named', async () => {
    const scene = await show(phase('stale'));
    await visit(scene.url, LIGHT, async ({ page }) => {
      const pass = await step(page);
      const lost = page.locator('#lost');
      scene.status = { ...phase('moved'), node: 'ip-10-0-0-7' };
      await pass(REFRESH_MS);
      await lost.waitFor({ state: 'visible', timeout: 12_000 });
      expect(await lost.innerText()).toContain('ip-10-0-0-7 answers here now: reload to see it.');
      expect(await headline(page)).toContain('public');
      await scene.stop();
      await pass(REFRESH_MS);
      await expect.poll(() => lost.innerText()).not.toContain('ip-10-0-0-7');
      await scene.start();
      scene.status = phase('moved');
      await pass(REFRESH_MS);
      await lost.waitFor({ state: 'hidden', timeout: 12_000 });
      expect(await headline(page)).toContain('x-eni');
    });
  });

  test("behind a path, as through the API server's proxy", async () => {
    const scene = await show(phase('stale'));
    const url = `${scene.url}api/v1/namespaces/monitoring/pods/agent:10943/proxy/`;
    await visit(scene.url, LIGHT, async ({ page, complaints }) => {
      await page.route(scene.url, (route) => route.fulfill({ json: { paths: [] } }));
      await page.route(url, async (route) =>
        route.fulfill({ response: await route.fetch({ url: scene.url }) }),
      );
      await page.clock.install();
      await page.goto(url);
      scene.status = phase('moved');
      await page.clock.runFor(REFRESH_MS);
      await page.locator('.headline.good').waitFor({ timeout: 12_000 });
      expect(await page.locator('#lost').isVisible()).toBe(false);
      expect(
        await page.evaluate(`[...document.querySelectorAll('footer a')].map(({ href }) => href)`),
      ).toEqual(['metrics', 'api/v1/status', '-/healthy', '-/ready'].map((path) => url + path));
      expect(complaints).toEqual([]);
    });
  });

  test('not while nobody sees it, and at once when it is seen again', async () => {
    const scene = await show(phase('stale'));
    await visit(scene.url, LIGHT, async ({ page }) => {
      const pass = await step(page);
      const hide = (hidden: boolean) =>
        page.evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${hidden} });
          document.dispatchEvent(new Event('visibilitychange'))`);
      await hide(true);
      const asked = scene.asked;
      await pass(60_000);
      expect(scene.asked).toBe(asked);
      scene.status = phase('moved');
      await hide(false);
      await page.locator('.headline.good').waitFor({ timeout: 2_000 });
    });
  });
});

// By the real clock, and so side by side. Only one of them has a scene.
describe.concurrent('left open', () => {
  test('the real demo, by a page that is only left open', async ({ expect }) => {
    const runtime = testRuntime();
    const ended = runDemo(configOf('demo', '--phase=7s', '--web.listen-address=127.0.0.1:0'), runtime);
    await expect.poll(() => runtime.out.join(''), { timeout: 5_000 }).toContain('/metrics');
    const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(runtime.out.join(''))?.[0] ?? '';
    await visit(url, LIGHT, async ({ page, complaints }) => {
      for (const text of ['DnsPublic', 'ConnectionMoving', 'StaleConnection']) {
        await page.locator('.finding h3', { hasText: text }).first().waitFor({ timeout: 20_000 });
        expect(await headline(page)).toContain('public');
      }
      await page.locator('.headline.good').waitFor({ timeout: 20_000 });
      expect(await headline(page)).toBe('Node route: x-eni');
      expect(complaints).toEqual([]);
    });
    runtime.raise('SIGTERM');
    expect(await ended).toBe(0);
  });

  test('without JavaScript all of it can be read, nothing offers what only a script can do, and it is asked for anew', async ({
    expect,
  }) => {
    const scene = await show(phase('stale'));
    await visit(scene.url, { ...LIGHT, javaScriptEnabled: false }, async ({ page, complaints }) => {
      const text = await page.innerText('main');
      for (const part of [
        'public',
        'StaleConnection',
        'private-ready',
        '192.168.1.204:44084',
        '192.168.2.210:443',
      ]) {
        expect(text).toContain(part);
      }
      expect(await page.locator('button:visible').count()).toBe(0);
      const asked = scene.asked;
      scene.status = phase('moved');
      await expect.poll(() => scene.asked, { timeout: 20_000 }).toBeGreaterThan(asked);
      await expect.poll(() => page.title(), { timeout: 5_000 }).toContain('x-eni');
      expect(complaints).toEqual([]);
    });
  });
});

describe('copying', () => {
  const COMMAND = 'ss -K -tn sport = 44084 dst 3.34.148.207 dport = 443';

  test('a command goes to the clipboard', async () => {
    const scene = await show(phase('stale'));
    const permissions = ['clipboard-read', 'clipboard-write'];
    await visit(scene.url, { ...LIGHT, permissions }, async ({ page }) => {
      await page.locator('.finding .command button').first().click();
      await expect.poll(() => page.innerText('#said')).toBe('Copied');
      expect(await page.evaluate<string>('navigator.clipboard.readText()')).toBe(COMMAND);
    });
  });

  test('on http://NODE-IP, where there is no clipboard, it is selected at least', async () => {
    const scene = await show(phase('stale'));
    const url = scene.url.replace('127.0.0.1', 'node.test');
    await visit(url, LIGHT, async ({ page }) => {
      expect(await page.evaluate<string>('typeof navigator.clipboard')).toBe('undefined');
      await page.locator('.finding .command button').first().click();
      await expect
        .poll(() => page.innerText('#said'))
        .toMatch(/^(Copied|Selected: copy it with your keyboard)$/);
      expect(await page.evaluate<string>('String(getSelection())')).toBe(COMMAND);
    });
  });
});

test('on paper tables keep their shape, and nothing is folded away', async () => {
  const scene = await show(phase('stale'));
  await visit(scene.url, LIGHT, async ({ page }) => {
    await page.emulateMedia({ media: 'print' });
    const tall = `[...document.querySelectorAll('table')].filter((one) => one.offsetHeight > 0).map((one) => {
      const lines = [...one.querySelectorAll('tr > :first-child')].map(({ offsetHeight }) => offsetHeight);
      return [one.caption.textContent, Math.max(...lines)];
    }).filter(([, height]) => height > 60)`;
    expect(await page.evaluate(tall)).toEqual([]);
    expect(await page.locator('details table').first().isVisible()).toBe(true);
  });
});

test('by keyboard: first the way to the route, and the focus is seen', async () => {
  const scene = await show(phase('stale'));
  await visit(scene.url, LIGHT, async ({ page }) => {
    await page.keyboard.press('Tab');
    const focused = `(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return [document.activeElement.textContent, outlineStyle, outlineWidth, document.activeElement.getBoundingClientRect().top >= 0];
    })()`;
    expect(await page.evaluate(focused)).toEqual(['To the route of this node', 'solid', '3px', true]);
    await page.keyboard.press('Enter');
    expect(await page.evaluate<string>('document.activeElement.id')).toBe('main');
    await page.keyboard.press('Tab');
    expect(
      await page.evaluate<boolean>(`document.activeElement.matches('.headline a, .headline button')`),
    ).toBe(true);
  });
});
