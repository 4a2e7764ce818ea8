/** What a browser may do with the page: run its one script, use its one style, and ask the agent again. Nothing else. */
import { createHash } from 'node:crypto';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

/** The value of Content-Security-Policy: both inline texts by their hashes, so that no other is obeyed. */
export const CONTENT_POLICY: string = [
  "default-src 'none'",
  `script-src ${sha256(SCRIPT)}`,
  `style-src ${sha256(STYLE)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Tells a page of one release from that of another, whose script it must not go on with. */
export const BUILD: string = digest(SCRIPT + STYLE).slice(0, 12);

function sha256(text: string): string {
  return `'sha256-${digest(text)}'`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
