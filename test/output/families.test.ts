import { expect, test } from 'vitest';
import { FAMILIES } from '../../src/output/families.ts';

test('names are unique and follow the conventions of Prometheus', () => {
  const names = FAMILIES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, kind, help } of FAMILIES) {
    expect(name).toMatch(/^(?:eks_endpoint|process)_[a-z0-9_]+$/);
    expect(name.endsWith('_total'), name).toBe(kind === 'counter');
    expect(help, name).not.toMatch(/\.$/);
    expect(help.length, name).toBeGreaterThan(10);
  }
});

test('no family has a label of the scraper', () => {
  const labels = FAMILIES.flatMap((family) => family.labels);
  for (const label of ['node', 'cluster', 'region', 'instance', 'job']) expect(labels).not.toContain(label);
});
