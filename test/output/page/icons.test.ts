import { expect, test } from 'vitest';
import { GATE_STATES, NODE_ROUTES } from '../../../src/model/status.ts';
import { ICONS } from '../../../src/output/page/icons.ts';

test('each node route, each state of a gate and each severity has a shape of its own', () => {
  const shapes = new Map(
    [...ICONS.text.matchAll(/<symbol id="icon-([\w-]+)"[^>]*>(.*?)<\/symbol>/g)].map(([, name, shape]) => [
      name,
      shape,
    ]),
  );
  for (const names of [NODE_ROUTES, GATE_STATES, ['critical', 'warning', 'info']]) {
    const used = names.map((name) => shapes.get(name));
    expect(used).not.toContain(undefined);
    expect(new Set(used).size).toBe(names.length);
  }
});
