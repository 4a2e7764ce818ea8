import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { certificatesOf } from '../../src/endpoint/pem.ts';

const CA = fixture('ca.crt');
const OTHER_CA = fixture('other-ca.crt');
const KEY = fixture('server.key');
const BROKEN = CA.replace(/\n(.{20})/, (_, begin) => `\n${begin.split('').reverse().join('')}`);

function fixture(name: string): string {
  return readFileSync(join(import.meta.dirname, '..', 'fixtures', 'tls', name), 'utf8');
}

describe('the certificates in a PEM text', () => {
  test.each<[string, string, string]>([
    ['one', CA, CA],
    ['two', CA + OTHER_CA, CA + OTHER_CA],
    ['text around it', `Subject: CN=kubernetes\n${CA}\nthe end`, CA],
    ['a key is left out', KEY + CA, CA],
    ['what cannot be parsed is left out', BROKEN + CA, CA],
  ])('%s', (_, text, expected) => {
    expect(certificatesOf(text)).toBe(expected);
  });

  test('with the line ends of another system', () => {
    expect(certificatesOf(CA.replaceAll('\n', '\r\n'))?.replaceAll('\r', '')).toBe(CA);
  });

  test.each([
    ['nothing', ''],
    ['a text', 'certificate'],
    ['a key', KEY],
    ['half a certificate', CA.slice(0, CA.length / 2)],
    ['a certificate that cannot be parsed', BROKEN],
    ['an empty one', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'],
    ['DER', Buffer.from(CA.replaceAll(/-----.*-----/g, ''), 'base64').toString('latin1')],
    ['a mebibyte of beginnings', '-----BEGIN CERTIFICATE-----\n'.repeat(37_000)],
  ])('%s holds none', (_, text) => {
    expect(certificatesOf(text)).toBeNull();
  });
});
