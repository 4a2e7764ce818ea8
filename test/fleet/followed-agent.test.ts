import { expect, onTestFinished, test } from 'vitest';
import { type FollowedAgent, followAgent } from '../../src/fleet/followed-agent.ts';
import { sendRequest } from '../../src/net/http.ts';
import { renderJson } from '../../src/output/json.ts';
import { looksAt, STEPS } from '../support/watched.ts';
import { answering, startWebServer } from '../support/web-server.ts';

const NEVER = new AbortController().signal;
const [STATUS] = looksAt(STEPS.public);
const JSON_TEXT = STATUS === undefined ? '' : renderJson(STATUS);

function following(url: string): FollowedAgent {
  const agent = followAgent(url, sendRequest);
  onTestFinished(() => agent.close());
  return agent;
}

test('its status is read, and it is asked not to wait long for a look', async () => {
  const server = await startWebServer(answering(200, JSON_TEXT));
  expect(await following(server.url).ask(NEVER)).toEqual(STATUS);
  expect(server.requests).toMatchObject([
    { method: 'GET', path: '/api/v1/status', headers: { 'x-prometheus-scrape-timeout-seconds': '2.5' } },
  ]);
});

test('behind a path, as behind an ingress', async () => {
  const server = await startWebServer(answering(200, JSON_TEXT));
  await following(`${server.url}/node-1`).ask(NEVER);
  expect(server.requests[0]?.path).toBe('/node-1/api/v1/status');
});

test.each([
  ['an agent that asks for a password', 401, '', 'asks for a password'],
  ['another program', 404, 'no', 'is no eks-endpoint-exporter'],
  ['an agent that has not looked yet', 503, '{}', 'has not made its first look yet'],
  ['an agent in trouble', 500, '', 'answered with HTTP status 500'],
  ['a redirection', 302, '', 'answered with HTTP status 302'],
  ['a page', 200, '<!doctype html>', 'is not understood: its status is no JSON'],
  ['a newer agent', 200, '{"schemaVersion": 2}', 'use a newer eks-endpoint-exporter'],
  ['an empty answer', 200, '', 'is not understood: its status is no JSON'],
])('%s: a sentence that names it', async (_, code, body, why) => {
  const server = await startWebServer(answering(code, body));
  const asked = following(server.url).ask(NEVER);
  await expect(asked).rejects.toThrow(why);
  await expect(asked).rejects.toThrow(`${server.url} `);
});

test('https where it speaks http, and a path that it does not know: how to write the address', async () => {
  const server = await startWebServer(answering(404, 'no'));
  const https = server.url.replace('http:', 'https:');
  await expect(following(https).ask(NEVER)).rejects.toThrow(
    /TLS failed: .*; give it with http:\/\/: an agent/,
  );
  const withoutPath = `; give the address without a path, ${server.url}, unless something in front`;
  await expect(following(`${server.url}/metrics`).ask(NEVER)).rejects.toThrow(withoutPath);
  await expect(following(server.url).ask(NEVER)).rejects.not.toThrow('without a path');
  server.answer = answering(200, '<!doctype html>');
  await expect(following(`${server.url}/metrics`).ask(NEVER)).rejects.toThrow(withoutPath);
  server.answer = answering(200, '{"schemaVersion": 2}');
  await expect(following(`${server.url}/node-1`).ask(NEVER)).rejects.not.toThrow('without a path');
});

test('nobody there is told, and a certificate that nobody vouches for is not believed', async () => {
  await expect(following('http://127.0.0.1:9').ask(NEVER)).rejects.toThrow('the connection was refused');
  const server = await startWebServer(answering(200, JSON_TEXT), { certificate: 'server' });
  await expect(following(server.url).ask(NEVER)).rejects.toThrow('the certificate is not trusted');
});

test('who does not answer is given up when it is told to', async () => {
  const server = await startWebServer(() => {});
  const giveUp = new AbortController();
  const asked = following(server.url).ask(giveUp.signal);
  giveUp.abort();
  await expect(asked).rejects.toThrow('given up');
});
