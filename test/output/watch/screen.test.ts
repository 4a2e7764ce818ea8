import { expect, test } from 'vitest';
import { ENTER_SCREEN, LEAVE_SCREEN, renderScreen } from '../../../src/output/watch/screen.ts';

test('a frame is one text: from the top, each line emptied behind its end, then the rest of the screen', () => {
  expect(renderScreen(['a', 'b'])).toBe('\u001b[?2026h\u001b[Ha\u001b[K\r\nb\u001b[K\u001b[J\u001b[?2026l');
});

test('leaving takes back all that entering did', () => {
  const modes = (text: string, set: 'h' | 'l') =>
    [...text.matchAll(/\[\?(\d+)([hl])/g)].filter(([, , end]) => end === set).map(([, mode]) => mode);
  expect(modes(ENTER_SCREEN, 'h')).toEqual(modes(LEAVE_SCREEN, 'l'));
  expect(modes(ENTER_SCREEN, 'l').sort()).toEqual(modes(LEAVE_SCREEN, 'h').sort());
});
