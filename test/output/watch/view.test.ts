import { expect, test } from 'vitest';
import { seeSilence } from '../../../src/model/watched.ts';
import { span } from '../../../src/output/watch/spans.ts';
import { ago, isNarrow, isNew, isSmall, withRest } from '../../../src/output/watch/view.ts';
import { moment } from '../../support/observation.ts';
import { looksAt, nodeViewOf, STEPS, watchedOf } from '../../support/watched.ts';

const { public: onPublic, flipped } = STEPS;

test('what was another in one of the last looks is new, for some looks, and of a silent agent nothing is', () => {
  const newAfter = (...looks: readonly (typeof onPublic)[]) =>
    isNew(nodeViewOf(watchedOf(looksAt(...looks))), ({ dns }) => dns?.addresses?.[0]?.address);
  expect(newAfter(onPublic)).toBe(false);
  expect(newAfter(onPublic, onPublic)).toBe(false);
  expect(newAfter(onPublic, flipped)).toBe(true);
  expect(newAfter(onPublic, flipped, flipped, flipped)).toBe(true);
  expect(newAfter(onPublic, ...Array.from({ length: 6 }, () => flipped))).toBe(false);
  const silent = seeSilence(watchedOf(looksAt(onPublic, flipped)), 'refused', moment(3));
  expect(isNew(nodeViewOf(silent), ({ dns }) => dns?.addresses?.[0]?.address)).toBe(false);
});

test("ages go on by the agent's clock, whatever that of the terminal says", () => {
  const [status] = looksAt(onPublic);
  if (status === undefined) throw new RangeError('no look');
  const yesterday = new Date(Date.parse(status.observedAt) - 86_400_000).toISOString();
  const watched = watchedOf([{ ...status, observedAt: yesterday }]);
  expect(ago(nodeViewOf(watched, { seconds: 6 }), yesterday)).toBe('5 s');
});

test('a narrow view has fewer columns, a small one counts instead of addresses', () => {
  const watched = watchedOf(looksAt(onPublic));
  const shape = (columns: number, rows: number) => {
    const view = nodeViewOf(watched, { columns, rows });
    return [isNarrow(view), isSmall(view)];
  };
  expect(shape(80, 24)).toEqual([false, false]);
  expect(shape(80, 12)).toEqual([false, false]);
  expect(shape(40, 24)).toEqual([true, false]);
  expect(shape(40, 12)).toEqual([true, true]);
});

test('where not all lines fit, the last says how many are missing', () => {
  const lines = ['a', 'b', 'c'].map((text) => [span(text)]);
  const texts = (room: number) => withRest(lines, room, 'connection').map(([part]) => part?.text);
  expect(texts(3)).toEqual(['a', 'b', 'c']);
  expect(texts(2)).toEqual(['a', '  and 2 more connections']);
  expect(texts(1)).toEqual(['  and 3 more connections']);
});
