import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { columns, cut, painter, printable, widthOf, wrap } from '../../src/output/terminal.ts';

describe('the width of a text', () => {
  test.each([
    ['', 0],
    ['kubelet', 7],
    ['…', 1],
    ['ノード', 6],
    ['e\u0301', 1],
    ['🚀', 2],
  ])('%j takes %i cells', (text, cells) => {
    expect(widthOf(text)).toBe(cells);
  });
});

describe('cutting', () => {
  test.each([
    ['kube-proxy', 10, 'kube-proxy'],
    ['kube-proxy', 9, 'kube-pro…'],
    ['kube-proxy', 1, '…'],
    ['kube-proxy', 0, ''],
    ['ノード', 4, 'ノ…'],
  ])('%j to %i cells is %j', (text, width, expected) => {
    expect(cut(text, width)).toBe(expected);
    expect(widthOf(cut(text, width))).toBeLessThanOrEqual(width);
  });
});

describe('wrapping', () => {
  test.each([
    ['one two three', 7, ['one two', 'three']],
    ['one', 7, ['one']],
    ['', 7, ['']],
    ['0123456789 ab', 4, ['0123', '4567', '89', 'ab']],
    ['ab 0123456789', 4, ['ab', '0123', '4567', '89']],
    ['ノード', 1, ['ノード']],
  ])('%j to lines of %i cells', (text, width, expected) => {
    expect(wrap(text, width)).toEqual(expected);
  });
});

test('each cell is padded to the widest of its column, but for the last of its row', () => {
  const padded = columns([['Route', 'Client', 'Peer'], ['public', 'ノード', '3.34.148.207'], ['x-eni']]);
  expect(padded).toEqual([['Route ', 'Client', 'Peer'], ['public', 'ノード', '3.34.148.207'], ['x-eni']]);
});

test('paint is there only where it is asked for, and leaves the text as it is', () => {
  expect(painter(false)(['red', 'bold'], 'public')).toBe('public');
  const painted = painter(true)(['red', 'bold'], 'public');
  expect(painted).toContain('\u001b[31m');
  expect(painted).toContain('\u001b[1m');
  expect(stripVTControlCharacters(painted)).toBe('public');
});

test('control characters, and those that turn the direction of a text, do not reach the terminal', () => {
  expect(printable('a\u001b[2Jb\u0007\u009b\u202e\n')).toBe('a�[2Jb����');
});
