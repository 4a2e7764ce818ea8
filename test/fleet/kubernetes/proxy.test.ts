import { Agent } from 'node:https';
import { expect, onTestFinished, test } from 'vitest';
import { Api } from '../../../src/fleet/kubernetes/api.ts';
import type { Pod } from '../../../src/fleet/kubernetes/pods.ts';
import { askPod } from '../../../src/fleet/kubernetes/proxy.ts';
import type { HttpReply, HttpRequest } from '../../../src/net/http.ts';
import { READY, statusText } from '../../support/kubernetes-api.ts';

const POD: Pod = {
  metadata: { name: 'exporter-a', creationTimestamp: '' },
  spec: { nodeName: 'a', containers: [{ ports: [{ name: 'metrics', containerPort: 9100 }] }] },
  status: {
    ...READY,
    reason: '',
    message: '',
    conditions: [{ ...READY.conditions[0], type: 'Ready', status: 'True', reason: '', message: '' }],
  },
};

/** What is seen of node "a" when the API server answers so, and what it was asked. */
async function seen(reply: Partial<HttpReply>, pod = POD) {
  const asked: HttpRequest[] = [];
  const api = await Api.open(
    {
      name: 'somebody',
      get: async () => ({ server: 'https://api/k8s/clusters/c-1', headers: {}, agent: new Agent() }),
    },
    {
      signal: new AbortController().signal,
      request: async (request) => {
        asked.push(request);
        return { status: 200, headers: {}, body: '', ...reply };
      },
    },
  );
  onTestFinished(() => api.close());
  return { seen: await askPod(api, { namespace: 'ns', pod, node: 'a' }, Date.now), asked };
}

function refusing(code: number, message = 'so it is'): Partial<HttpReply> {
  return { status: code, body: JSON.stringify({ kind: 'Status', message, code }) };
}

test('the path is that of the API server, with its own before it, and the port the one that is called metrics', async () => {
  const { seen: answer, asked } = await seen({ body: statusText('a') });
  expect(answer).toMatchObject({ kind: 'answer', route: 'x-eni' });
  expect(asked).toMatchObject([
    {
      url: 'https://api/k8s/clusters/c-1/api/v1/namespaces/ns/pods/exporter-a:9100/proxy/api/v1/status',
      deadlineMs: 10_000,
    },
  ]);
});

test('a pod that is not ready is not asked', async () => {
  const { seen: none, asked } = await seen({}, { ...POD, status: { ...POD.status, phase: 'Pending' } });
  expect(none).toMatchObject({ kind: 'none', why: 'not-answering' });
  expect(asked).toEqual([]);
});

test.each([
  [
    403,
    /does not let us ask its pod \(403: so it is\)/,
    'a Role in namespace ns with the verb get on pods/proxy would do',
  ],
  [404, /went away/, 'ask again'],
  [500, /cannot reach its pod \(500/, 'let port 9100 in from the control plane'],
  [503, /cannot reach its pod \(503/, 'let port 9100 in from the control plane'],
])('where the API server says %i, what would do is said', async (code, detail, remedy) => {
  expect((await seen(refusing(code))).seen).toMatchObject({
    kind: 'none',
    why: 'not-answering',
    detail: expect.stringMatching(detail),
    remedy: expect.stringContaining(remedy),
  });
});

test('credentials that are refused are no matter of one node', async () => {
  await expect(seen(refusing(401))).rejects.toThrow('does not know somebody');
});

test('an agent that asks for a password is one node that cannot be asked, and no matter of our credentials', async () => {
  const { seen: none, asked } = await seen({ status: 401, body: 'Unauthorized\n' });
  expect(none).toMatchObject({
    why: 'not-answering',
    detail: expect.stringMatching(/asks for a password \(401\)/),
  });
  expect(asked).toHaveLength(1);
});

test('a node whose agent calls it otherwise is none of ours', async () => {
  expect((await seen({ body: statusText('a.ec2.internal') })).seen).toMatchObject({
    why: 'other-node',
    detail: 'its pod exporter-a speaks for "a.ec2.internal"',
  });
});
