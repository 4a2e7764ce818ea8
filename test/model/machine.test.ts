import { describe, expect, test } from 'vitest';
import { factOf, fillGaps } from '../../src/model/machine.ts';

describe('what is said of a machine', () => {
  test.each([
    ['a name', 'm7i.large', 'm7i.large'],
    ['a name in a line', ' Amazon EC2\n', 'Amazon EC2'],
    ['a name with a placeholder in it', 'Default string X1', 'Default string X1'],
    ['nothing', null, null],
    ['an empty text', '', null],
    ['blanks', ' \n', null],
    ['a dash', '-', null],
    ["the container's, not the node's", 'Docker Container', null],
    ["the library's word for any machine", 'Computer', null],
    ['firmware that was not filled in', 'To Be Filled By O.E.M.\n', null],
    ['the same of another maker', 'Default string', null],
    ['in capitals', 'NOT SPECIFIED', null],
  ])('%s', (_, text, fact) => {
    expect(factOf(text)).toBe(fact);
  });
});

describe('facts of two sources', () => {
  const known = { kernel: '6.12.40', arch: 'x64', vendor: 'Amazon EC2', model: 'm7i.large' };
  const told = { kernel: '1', arch: 'arm', vendor: 'Raspberry Pi Foundation', model: 'Pi 4' };

  test('what is known wins', () => {
    expect(fillGaps(known, told)).toEqual(known);
  });

  test('each gap is filled by itself', () => {
    expect(fillGaps({ ...known, model: null }, told)).toEqual({ ...known, model: 'Pi 4' });
    expect(fillGaps({ ...known, vendor: null, kernel: null, arch: null }, told)).toEqual({
      ...told,
      model: 'm7i.large',
    });
  });

  test('what neither knows is null', () => {
    expect(fillGaps({ ...known, model: null }, { ...told, model: null }).model).toBeNull();
  });
});
