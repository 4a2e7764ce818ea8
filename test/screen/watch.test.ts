/** `watch` as people have it: the built program in a real terminal, following an agent that goes through a migration. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { renderJson } from '../../src/output/json.ts';
import { Watch } from '../support/observation.ts';
import { STEPS } from '../support/watched.ts';
import { startWebServer } from '../support/web-server.ts';
import { Terminal } from './lib/terminal.ts';

/** An agent that looks each time it is asked, at a node that is at this step of its migration. */
class PlayedAgent {
  readonly url: string;
  step: keyof typeof STEPS = 'public';
  /** It is there and does not answer. */
  isSilent = false;

  private constructor(url: string) {
    this.url = url;
  }

  static async start(): Promise<PlayedAgent> {
    const watch = new Watch({ expect: 'x-eni', probeIntervalMs: 60_000 });
    const server = await startWebServer((_, response) => {
      if (agent.isSilent) {
        response.destroy();
        return;
      }
      response.end(renderJson(watch.look(STEPS[agent.step], 1)));
    });
    const agent = new PlayedAgent(server.url);
    return agent;
  }
}

/** Whether any of its escapes sets a colour of text or ground (SGR 30 to 49, 90 to 107). */
function hasColor(painted: string): boolean {
  return painted
    .split('\u001b[')
    .slice(1)
    .flatMap((part) => /^([\d;]*)m/.exec(part)?.[1]?.split(';') ?? [])
    .map(Number)
    .some((code) => (code >= 30 && code <= 49 && code !== 39 && code !== 49) || (code >= 90 && code <= 107));
}

/** Every part of the table once: what is left of a frame before, or a line that goes on in the next, would be twice. */
async function expectWholeFrame(terminal: Terminal, rows: number): Promise<void> {
  const lines = await terminal.lines();
  expect(lines.length).toBe(rows);
  const once = (label: string) =>
    lines.filter((line) => line.slice(2).startsWith(label) && !line.includes('Client')).length;
  expect([once('Route '), once('DNS '), once('X-ENIs '), once('Gate ')], lines.join('\n')).toEqual([
    1, 1, 1, 2,
  ]);
  expect(lines.filter((line) => line.startsWith('ip-192-168-1-204'))).toHaveLength(1);
  expect(lines.join('\n').match(/kubelet +(?:3\.34|192\.168)/g)).toHaveLength(1);
}

describe('watch --agent', () => {
  test.concurrent('80x24: each step of a migration, what moved marked; Ctrl-C leaves the summary and the cursor', async () => {
    const agent = await PlayedAgent.start();
    await using terminal = await Terminal.start(['watch', '--agent', agent.url]);
    const onPublic = await terminal.until(/Route +public/);
    expect(onPublic).toMatch(/^ {2}Route +public since .* expected x-eni$/m);
    expect(onPublic).toMatch(/^ {2}DNS +3\.34\.148\.207 public 3\.38\.61\.180 public TTL 60 s/m);
    expect(onPublic).toMatch(/^ {2}X-ENIs +192\.168\.1\.231 answers {2}192\.168\.2\.210 answers$/m);
    expect(onPublic).toMatch(/^ {2}public {2}kubelet +3\.34\.148\.207:443/m);
    expect(onPublic).toMatch(/^WARNING DnsPublic: /m);
    expect(onPublic).toMatch(/^ {2}What to do: turn on the cluster's private endpoint access/m);
    expect([await terminal.isOnOtherScreen(), await terminal.cursorIsShown()]).toEqual([true, false]);

    agent.step = 'flipped';
    const flipped = await terminal.until(/DNS +192/);
    expect(flipped).toMatch(/^\* DNS +192\.168\.1\.231 x-eni 192\.168\.2\.210 x-eni TTL 60 s/m);
    expect(flipped).toMatch(/^\* public stale {2}kubelet/m);
    expect(flipped).toMatch(/^\* INFO ConnectionMoving: kubelet/m);
    expect(flipped).toMatch(/^\d\d:\d\d:\d\dZ finding-cleared DnsPublic$/m);

    agent.step = 'mixed';
    const mixed = await terminal.until(/Route +mixed/);
    expect(mixed).toMatch(/^\* Route +mixed/m);
    expect(mixed).toMatch(/^\* x-eni +kubelet +192\.168\.1\.231:443/m);
    expect(mixed).toMatch(/public stale +kube-proxy +3\.38\.61\.180:443/);

    agent.step = 'moved';
    const moved = await terminal.until(/Route +x-eni/);
    expect(moved).toMatch(/^No finding is raised; \d+ of 16 could be evaluated, not [A-Z]/m);
    // What has moved some looks ago is no news any more.
    await terminal.until(/^ {2}x-eni +kubelet/m);
    await expectWholeFrame(terminal, 24);

    await terminal.press('C-c');
    expect(await terminal.exitCode()).toBe(0);
    expect([
      await terminal.isOnOtherScreen(),
      await terminal.cursorIsShown(),
      await terminal.wraps(),
    ]).toEqual([false, true, true]);
    const summary = await terminal.history();
    expect(summary).toMatch(/^Watched ip-192-168-1-204 for \d+ s, from \S+Z to \S+Z: \d+ looks\. Ended\.$/m);
    expect(summary).toMatch(/^Node route: public -> x-eni$/m);
    expect(summary).toMatch(/^ {2}\d\d:\d\d:\d\dZ kubelet public -> x-eni$/m);
    expect(summary).toMatch(/^ {2}\d\d:\d\d:\d\dZ kube-proxy public -> x-eni$/m);
    expect(summary).not.toContain('Last changes');
  });

  test.concurrent.each([
    { columns: 40, rows: 12 },
    { columns: 200, rows: 50 },
  ])('$columns x $rows: everything has its one place', async ({ columns, rows }) => {
    const agent = await PlayedAgent.start();
    await using terminal = await Terminal.start(['watch', '--agent', agent.url], { columns, rows });
    await terminal.until(/Route +public/);
    agent.step = 'flipped';
    await terminal.until(/public stale +kubelet/);
    await expectWholeFrame(terminal, rows);
    const seen = (await terminal.lines()).join('\n');
    expect(seen).toMatch(/INFO ConnectionMoving/);
    // Where there is room, what to do is there to its last word.
    expect(/go on only while the nodes stay\s+Ready\./.test(seen)).toBe(rows > 12);
  });

  test.concurrent('a terminal that is resized is drawn anew, whole, at once', async () => {
    const agent = await PlayedAgent.start();
    await using terminal = await Terminal.start(['watch', '--agent', agent.url, '--interval=30s'], {
      columns: 120,
      rows: 30,
    });
    await terminal.until(/Route +public/);
    for (const [columns, rows] of [
      [40, 12],
      [200, 50],
      [60, 20],
      [41, 13],
      [100, 24],
    ] as const) {
      await terminal.resize(columns, rows);
      await terminal.until(columns < 61 ? /Route {1,3}public \d+ s, expected/ : /Route +public since/);
      await sleep(300);
      await expectWholeFrame(terminal, rows);
    }
    await terminal.press('C-c');
    expect(await terminal.exitCode()).toBe(0);
  });

  test.concurrent('an agent that does not answer is said to, with the age of what is shown; nothing is known meanwhile', async () => {
    const agent = await PlayedAgent.start();
    agent.step = 'moved';
    await using terminal = await Terminal.start([
      'watch',
      '--agent',
      agent.url,
      '--until=public-free',
      '--timeout=12s',
    ]);
    await terminal.until(/Route +x-eni/);
    agent.isSilent = true;
    const silent = await terminal.until(/does not answer for [3-9] s, what is below is [3-9] s old/);
    expect(silent).toMatch(/Route +unknown was x-eni/);
    expect(silent).toMatch(/public-free unknown: was/);
    expect(await terminal.exitCode()).toBe(2);
    const summary = await terminal.history();
    expect(summary).toContain('it cannot be told whether public-free holds');
    expect(summary).toMatch(/^The agent did not answer at the end: /m);
    expect(await terminal.cursorIsShown()).toBe(true);
  });

  test.concurrent('--until ends by itself with 0', async () => {
    const agent = await PlayedAgent.start();
    await using terminal = await Terminal.start(['watch', '--agent', agent.url, '--until=x-eni']);
    await terminal.until(/Route +public/);
    agent.step = 'moved';
    expect(await terminal.exitCode()).toBe(0);
    expect(await terminal.history()).toContain('x-eni was reached.');
    expect([await terminal.isOnOtherScreen(), await terminal.cursorIsShown()]).toEqual([false, true]);
  });

  test.concurrent('colours by default, none with NO_COLOR, where the marks are left', async () => {
    const agent = await PlayedAgent.start();
    const args = ['watch', '--agent', agent.url];
    await using colored = await Terminal.start(args);
    await using plain = await Terminal.start(args, { env: { NO_COLOR: '1' } });
    await Promise.all([colored.until(/Route +public/), plain.until(/Route +public/)]);
    agent.step = 'mixed';
    await Promise.all([colored.until(/^\* Route +mixed/m), plain.until(/^\* Route +mixed/m)]);
    expect(hasColor(await colored.painted())).toBe(true);
    expect(hasColor(await plain.painted())).toBe(false);
    await plain.press('C-c');
    expect(await plain.exitCode()).toBe(0);
    expect(hasColor(await plain.painted())).toBe(false);
  });

  test.concurrent('a terminal that can replace nothing (TERM=dumb) gets lines, as a pipe does', async () => {
    const agent = await PlayedAgent.start();
    await using terminal = await Terminal.start(['watch', '--agent', agent.url], {
      columns: 200,
      env: { TERM: 'dumb' },
    });
    await terminal.until(/^\S+Z status ip-192-168-1-204: route public/m);
    agent.step = 'mixed';
    await terminal.until(/^\S+Z client-route kubelet public -> x-eni$/m);
    expect(await terminal.isOnOtherScreen()).toBe(false);
    await terminal.press('C-c');
    expect(await terminal.exitCode()).toBe(0);
  });

  test.concurrent('piped: lines that grep finds; when its reader ends, so does it, and says nothing', async () => {
    const agent = await PlayedAgent.start();
    await using terminal = await Terminal.start([], {
      columns: 200,
      script: `{ $MAIN watch --agent ${agent.url}; echo "watch ended with $?" >&2; } | grep -m 1 -F 'route public -> mixed'`,
    });
    await sleep(2_000);
    agent.step = 'mixed';
    await terminal.until(/^\S+Z route public -> mixed: \S/m);
    // The next line that it writes finds nobody.
    agent.step = 'public';
    await terminal.until('watch ended with 0');
    expect(await terminal.exitCode()).toBe(0);
    expect(await terminal.history()).not.toMatch(/error|EPIPE|Cannot/i);
  });

  test.concurrent('JSON lines on a terminal too', async () => {
    const agent = await PlayedAgent.start();
    await using terminal = await Terminal.start(['watch', '--agent', agent.url, '--output=json'], {
      columns: 200,
    });
    await terminal.until('"kind":"status"');
    agent.step = 'mixed';
    await terminal.until('"kind":"client-route"');
    await terminal.press('C-c');
    expect(await terminal.exitCode()).toBe(0);
    const lines = (await terminal.history()).split('\n').filter((line) => line.includes('"kind"'));
    const kinds = lines.map((line) => JSON.parse(line.replace(/^\^C/, '')).kind);
    expect(kinds[0]).toBe('status');
    expect(kinds.at(-1)).toBe('summary');
    expect(kinds).toEqual(expect.arrayContaining(['dns', 'client-route', 'route', 'connection-opened']));
    expect(await terminal.isOnOtherScreen()).toBe(false);
  });
});
