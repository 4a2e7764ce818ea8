import { describe, expect, test } from 'vitest';
import { STYLE } from '../../../src/output/page/style.ts';

/** WCAG 2.2, 1.4.3, for text of usual size. */
const LEAST_CONTRAST = 4.5;

/** The colours of a theme by name; the dark one changes those of the light one. */
function themes(): Readonly<Record<string, ReadonlyMap<string, string>>> {
  const [light = '', dark = ''] = [...STYLE.matchAll(/:root \{(.*?)\}/gs)].map(([, block]) => block);
  const colorsOf = (block: string) =>
    [...block.matchAll(/--([\w-]+): (#\w+)/g)].map(([, name = '', color = '']) => [name, color] as const);
  return { light: new Map(colorsOf(light)), dark: new Map([...colorsOf(light), ...colorsOf(dark)]) };
}

function luminance(color: string): number {
  const full = color.length === 4 ? color.replace(/[^#]/g, '$&$&') : color;
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((start) => Number.parseInt(full.slice(start, start + 2), 16) / 255)
    .map((part) => (part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

describe.each(Object.entries(themes()))('%s', (_name, colors) => {
  const tones = ['good', 'bad', 'warn', 'calm', 'unknown'];

  test.each([
    ...['text', 'muted', 'link'].flatMap((text) => ['page', 'card'].map((behind) => [text, behind] as const)),
    ...tones.flatMap((tone) => [
      [tone, `${tone}-back`] as const,
      [tone, 'card'] as const,
      ['text', `${tone}-back`] as const,
    ]),
  ])('%s can be read on %s', (text, behind) => {
    const [one, other] = [colors.get(text), colors.get(behind)];
    if (one === undefined || other === undefined) throw new RangeError(`Cannot find ${text} or ${behind}`);
    expect(contrast(one, other)).toBeGreaterThanOrEqual(LEAST_CONTRAST);
  });
});

test('contrast is measured as WCAG does', () => {
  expect(contrast('#000000', '#fff')).toBeCloseTo(21);
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
});
