import { describe, expect, test } from 'vitest';
import { painter, widthOf } from '../../../src/output/terminal.ts';
import { fitLine, flow, type Line, paintLine, span } from '../../../src/output/watch/spans.ts';

function textOf(line: Line): string {
  return paintLine(line, painter(false));
}

describe('a line that is to fit', () => {
  const line = [span('public', 'red'), span('  '), span('kubelet')];

  test.each([
    [15, 'public  kubelet'],
    [14, 'public  kubel…'],
    [9, 'public  …'],
    [8, 'public …'],
    [7, 'public…'],
    [6, 'publi…'],
    [1, '…'],
  ])('into %i cells', (width, expected) => {
    const fitted = textOf(fitLine(line, width));
    expect(fitted).toBe(expected);
    expect(widthOf(fitted)).toBeLessThanOrEqual(width);
  });
});

test('parts flow over lines at their limits, without blanks at the ends; the last line is cut', () => {
  const parts = ['3.34.148.207 ', 'public ', 'TTL ', '60 ', 's'].map((text) => span(text));
  expect(flow(parts, { width: 20, lines: 3 }).map(textOf)).toEqual(['3.34.148.207 public', 'TTL 60 s']);
  expect(flow(parts, { width: 14, lines: 3 }).map(textOf)).toEqual(['3.34.148.207', 'public TTL 60', 's']);
  expect(flow(parts, { width: 14, lines: 2 }).map(textOf)).toEqual(['3.34.148.207', 'public TTL 60…']);
  expect(flow([span('x'.repeat(9))], { width: 5, lines: 2 }).map(textOf)).toEqual(['xxxx…']);
  expect(flow([], { width: 5, lines: 2 }).map(textOf)).toEqual(['']);
});

test('a line is painted part by part, and what would act on the terminal is not in it', () => {
  const line = [span('a\u001b[2J', 'red'), span(''), span('b')];
  expect(paintLine(line, painter(true))).toBe('\u001b[31ma\u{fffd}[2J\u001b[39mb');
  expect(textOf(line)).toBe('a\u{fffd}[2Jb');
});
