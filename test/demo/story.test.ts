import { expect, test } from 'vitest';
import { storyOf } from '../../src/demo/story.ts';
import { Watch } from '../support/observation.ts';

const PHASES = storyOf(1_790_000_000);

test('DNS flips once, and only the last phase has other connections', () => {
  const answers = PHASES.map(({ records }) => records.map(({ address }) => address).join());
  expect(new Set(answers).size).toBe(2);
  expect(answers.slice(1)).toEqual([answers[1], answers[1], answers[1]]);
  expect(PHASES.map(({ tree }) => tree === PHASES[0]?.tree)).toEqual([true, true, true, false]);
});

test('a phase is not shown by the status of a node on which nothing was seen', () => {
  const nothing = new Watch().look({ processes: [] });
  expect(PHASES.map(({ isShown }) => isShown(nothing))).toEqual([false, false, false, false]);
});
