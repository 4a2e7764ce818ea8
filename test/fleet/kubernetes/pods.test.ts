import { expect, test } from 'vitest';
import { type Pod, portOf } from '../../../src/fleet/kubernetes/pods.ts';

function podWith(...ports: readonly { readonly name: string; readonly containerPort: number }[]): Pod {
  return {
    metadata: { name: 'a', creationTimestamp: '' },
    spec: { nodeName: 'a', containers: [{ ports: [] }, { ports: [...ports] }, {}] },
    status: { phase: 'Running', reason: '', message: '' },
  };
}

test('the port is the one called metrics, else the usual one', () => {
  const health = { name: 'health', containerPort: 8080 };
  expect(portOf(podWith(health, { name: 'metrics', containerPort: 9100 }))).toBe(9100);
  expect(portOf(podWith(health))).toBe(10943);
  expect(portOf(podWith())).toBe(10943);
});
