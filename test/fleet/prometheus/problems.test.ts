import { describe, expect, test } from 'vitest';
import { problemOfReply, remedyOf } from '../../../src/fleet/prometheus/problems.ts';
import type { HttpReply } from '../../../src/net/http.ts';
import { prometheusTarget } from '../../support/prometheus-target.ts';

const TARGET = prometheusTarget('https://prometheus.example');

function reply(status: number, body = '', headers: HttpReply['headers'] = {}): HttpReply {
  return { status, body, headers };
}

const ERROR = JSON.stringify({
  status: 'error',
  errorType: 'execution',
  error: 'too many samples\n\u001b[31m',
});

describe('a whole answer that is none', () => {
  test.each([
    [reply(401), 'it does not let us in (401)', /^give --prometheus-bearer-token-file/],
    [reply(403, '<html>'), 'it does not let us in (403)', /^give --prometheus-bearer-token-file/],
    [
      reply(302, '', { location: 'https://login.example/?next=1' }),
      'it sends us to "https://login.example/?next=1" (302)',
      /answers itself/,
    ],
    [reply(301), 'it sends us elsewhere (301)', /answers itself/],
    [reply(200, '<!doctype html><title>Login'), 'it answers a web page (200)', /behind a login/],
    [reply(404, '<html>'), 'it answers a web page (404)', /with its path/],
    [reply(200, '<html><title>Grafana'), 'it answers a web page (200), as Grafana does', /data source/],
    [
      reply(200, 'x', { 'content-type': 'text/html; charset=utf-8' }),
      'it answers a web page (200)',
      /itself/,
    ],
    [reply(404, '404 page not found'), 'it knows no /api/v1/query below that URL (404)', /with its path/],
    [reply(429, 'slow down'), 'it has too much to do or is not ready (429): "slow down"', /later/],
    [reply(503), 'it has too much to do or is not ready (503)', /later/],
    [reply(500, 'oh\u0007 no'), 'it answers 500: "oh no"', /log/],
    [
      reply(200, '{"a":1}'),
      'it answers what is not an answer of its query API: "{\\"a\\":1}"',
      /what listens/,
    ],
    [reply(200, ''), 'it answers what is not an answer of its query API', /what listens/],
    [reply(422, ERROR), 'it says "too many samples [31m" (422 execution)', /fewer nodes/],
    [
      reply(400, '{"status":"error","errorType":"bad_data","error":"invalid"}'),
      'it says "invalid" (400 bad_data)',
      /--prometheus-matcher/,
    ],
    [
      reply(503, '{"status":"error","errorType":"timeout","error":"timed out"}'),
      'it says "timed out" (503 timeout)',
      /fewer nodes/,
    ],
    [reply(200, '{"status":"error","error":"odd"}'), 'it says "odd" (200)', /log/],
    [
      reply(
        200,
        '{"status":"success","warnings":["store: gone"],"data":{"resultType":"vector","result":[]}}',
      ),
      'its answer is not all: "store: gone"',
      /every server/,
    ],
  ])('%j', (answer, detail, remedy) => {
    expect(problemOfReply(answer, TARGET)).toEqual({ detail, remedy: expect.stringMatching(remedy) });
  });

  test('a long text is cut', () => {
    const { detail } = problemOfReply(reply(500, 'x'.repeat(10_000)), TARGET);
    expect(detail.length).toBeLessThan(400);
  });
});

test.each([
  [{ bearerTokenFile: '/t' }, /^see that the token/],
  [{ username: 'u', passwordFile: '/p' }, /^see that --prometheus-username/],
  [{ url: 'https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-1' }, /SigV4/],
])('who is not let in with %j is told what would do', (more, remedy) => {
  expect(problemOfReply(reply(403), { ...TARGET, ...more }).remedy).toMatch(remedy);
});

test.each([
  ['the certificate is not trusted: self-signed (X)', {}, /^give --prometheus-ca-file/],
  ['the certificate is not trusted: self-signed (X)', { caFile: '/ca' }, /^see that the authority/],
  ['TLS failed: alert (X)', {}, /--prometheus-cert-file\)$/],
  ['TLS failed: alert (X)', { certFile: '/c', keyFile: '/k' }, /takes the certificate/],
  ['whatever', {}, /^see what listens there/],
])('%s, with %j', (detail, more, remedy) => {
  expect(remedyOf(detail, { ...TARGET, ...more })).toMatch(remedy);
});
