/** A real Chromium with nobody to talk to but this machine, and what it complained of. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // No packet off the machine, whatever the page or the browser wishes.
  '--host-resolver-rules=MAP node.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];
const PROGRAM = '/usr/bin/chromium';

export interface Visit {
  readonly page: Page;
  /** Errors and warnings of the console, exceptions, violations of the policy, and requests to any other host. */
  readonly complaints: string[];
}

/** A page of a browser of its own at this address; `complaints` grows as long as it is open. */
export async function visit(
  url: string,
  options: BrowserContextOptions,
  work: (visit: Visit) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'eks-endpoint-browser-'));
  let context: BrowserContext | undefined;
  try {
    context = await chromium.launchPersistentContext(folder, {
      executablePath: PROGRAM,
      args: FLAGS,
      ...options,
    });
    const page = context.pages()[0] ?? (await context.newPage());
    const complaints = listen(page, new URL(url).origin);
    await page.goto(url);
    await work({ page, complaints });
  } finally {
    await context?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function listen(page: Page, origin: string): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    const asked = new URL(request.url());
    if (asked.protocol !== 'data:' && asked.origin !== origin) complaints.push(`request: ${asked.href}`);
  });
  return complaints;
}
