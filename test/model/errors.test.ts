import { expect, test } from 'vitest';
import { messageOf } from '../../src/model/errors.ts';

test('whatever is thrown has a message', () => {
  expect([new Error('a'), 'b', null].map(messageOf)).toEqual(['a', 'b', 'null']);
});
