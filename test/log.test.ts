import { describe, expect, test } from 'vitest';
import { createLog, LOG_LEVELS, type LogFormat, type LogLevel, quote } from '../src/log.ts';

function logLines(format: LogFormat, level: LogLevel = 'debug') {
  const lines: string[] = [];
  const now = () => new Date('2026-11-20T12:00:00Z');
  return { log: createLog({ level, format, now, write: (line) => lines.push(line) }), lines };
}

/** What a hostile peer, file or name could hold: line ends of every kind, terminal codes, invisible characters. */
const HOSTILE = [
  'a\nts=2026 level=error msg="forged"',
  'a\r\nb',
  'a\u0085b\u2028c\u2029d',
  '\u001b[2J\u001b]0;title\u0007',
  '\u009b31m',
  'a\u202egpj.exe',
  '"quoted" back\\slash',
  'lone surrogate \ud800',
  '\u{e0041} tag',
  '',
  '\0',
];

describe('logfmt', () => {
  test('a line has its time, level, message and fields', () => {
    const { log, lines } = logLines('logfmt');
    log.info('Listening', { address: '[::]:10943', looks: 3, first: true, reason: null, why: 'two words' });
    expect(lines).toEqual([
      'ts=2026-11-20T12:00:00.000Z level=info msg=Listening address="[::]:10943" looks=3 first=true reason=null why="two words"',
    ]);
  });

  test.each(HOSTILE)('%j stays within its quotes, on one line', (text) => {
    const { log, lines } = logLines('logfmt');
    log.warn(text, { field: text });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    const value = /^ts=\S+ level=warn msg=("(?:[^"\\]|\\.)*") field=("(?:[^"\\]|\\.)*")$/.exec(
      lines[0] ?? '',
    );
    expect(JSON.parse(value?.[1] ?? 'null')).toBe(text);
    expect(JSON.parse(value?.[2] ?? 'null')).toBe(text);
  });

  test('a key cannot break its line', () => {
    const { log, lines } = logLines('logfmt');
    log.error('x', { 'a b=c\n"d': 1 });
    expect(lines).toEqual(['ts=2026-11-20T12:00:00.000Z level=error msg=x a_b_c__d=1']);
  });

  test('an equals sign is quoted, so that a value is not taken for a field', () => {
    const { log, lines } = logLines('logfmt');
    log.info('x', { value: 'level=error' });
    expect(lines[0]).toMatch(/ value="level=error"$/);
  });
});

describe('JSON', () => {
  test('a line is an object with its time, level, message and fields', () => {
    const { log, lines } = logLines('json');
    log.info('Listening', { port: 10943, reason: null });
    expect(lines).toEqual([
      '{"ts":"2026-11-20T12:00:00.000Z","level":"info","msg":"Listening","port":10943,"reason":null}',
    ]);
  });

  test.each(HOSTILE)('%j comes back as it was, from one line', (text) => {
    const { log, lines } = logLines('json');
    log.info(text, { [text]: text });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: text, [text]: text });
  });
});

test.each(['logfmt', 'json'] as const)(
  '%s: a field replaces neither time nor level nor message',
  (format) => {
    const { log, lines } = logLines(format);
    log.info('true', { ts: 'forged', level: 'forged', msg: 'forged' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain('forged');
  },
);

test.each(LOG_LEVELS)('level %s drops what is less severe', (level) => {
  const { log, lines } = logLines('json', level);
  for (const each of LOG_LEVELS) log[each]('x');
  const written = lines.map((line) => JSON.parse(line).level);
  expect(written).toEqual(LOG_LEVELS.slice(LOG_LEVELS.indexOf(level)));
});

test('quoted text shows what cannot be seen', () => {
  expect(quote('a\u001b[31m\u202e\u{e0041}é')).toBe('"a\\u001b[31m\\u202e\\udb40\\udc41é"');
});
