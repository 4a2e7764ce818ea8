/** What went wrong with a request to Prometheus, and what would do. */
import type { HttpReply } from '../../net/http.ts';
import type { PrometheusTarget } from '../source.ts';
import { readVector } from './vector.ts';

interface Problem {
  readonly detail: string;
  readonly remedy: string;
}

const FEWER = 'ask for fewer nodes at a time with --prometheus-matcher';
const WHERE = 'see what listens there, and give --prometheus the URL of Prometheus itself';
/** As much of what a server says as tells. */
const MAX_SHOWN = 300;

/** Of a request that had no whole answer, by what http.ts says of it. */
const REMEDIES: readonly (readonly [RegExp, (target: PrometheusTarget) => string])[] = [
  [
    /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/,
    () =>
      "see that it runs there and that this machine may connect to it; 'kubectl port-forward' leads to one in a cluster",
  ],
  [
    /ENOTFOUND|EAI_AGAIN/,
    () =>
      "see that the name is right and known here: those of Services are known in the cluster only, 'kubectl port-forward' leads there",
  ],
  [/no whole answer within/, () => `see how busy it is, or ${FEWER}`],
  [/larger than/, () => FEWER],
  [
    /certificate is not trusted/,
    ({ caFile }) =>
      caFile === null
        ? 'give --prometheus-ca-file the authority that signed it, and the URL the name that it is for'
        : 'see that the authority in --prometheus-ca-file signed it, and give the URL the name that it is for',
  ],
  [
    /TLS failed/,
    ({ certFile }) =>
      certFile === null
        ? 'see whether it speaks TLS on that port (else the URL begins with http:), and whether it wants a client certificate (--prometheus-cert-file)'
        : 'see whether it speaks TLS on that port (else the URL begins with http:), and whether it takes the certificate of --prometheus-cert-file',
  ],
  [/not HTTP/, () => 'see what listens there; where it speaks TLS the URL begins with https:'],
  [
    /was closed before/,
    ({ url, certFile }) =>
      /^https:/i.test(url) && certFile === null
        ? 'ask again; if it stays so, see its log, and whether it wants a client certificate (--prometheus-cert-file)'
        : 'ask again; if it stays so, see its log and that of any proxy before it',
  ],
  [/given up/, () => 'it was interrupted'],
];

export function remedyOf(detail: string, target: PrometheusTarget): string {
  return REMEDIES.find(([pattern]) => pattern.test(detail))?.[1](target) ?? WHERE;
}

/** Of a whole answer that is not what was asked for. */
export function problemOfReply(reply: HttpReply, target: PrometheusTarget): Problem {
  const { status, headers, body } = reply;
  const vector = readVector(body);
  if (status === 401 || status === 403)
    return { detail: `it does not let us in (${status})`, remedy: entryOf(target) };
  if ('partial' in vector)
    return {
      detail: `its answer is not all: ${shown(vector.partial)}`,
      remedy: 'see that every server behind it answers; a part of a fleet says nothing of the rest',
    };
  if ('error' in vector) return ofItsOwn(status, vector);
  if (status >= 300 && status < 400) {
    const where = headers['location'] === undefined ? 'elsewhere' : `to ${shown(headers['location'])}`;
    return {
      detail: `it sends us ${where} (${status})`,
      remedy:
        'give --prometheus the URL that answers itself; if that is a login page, one behind it, or a token',
    };
  }
  if (/html/i.test(headers['content-type'] ?? '') || /^\s*</.test(body)) return ofWebPage(status, body);
  if (status === 404)
    return {
      detail: 'it knows no /api/v1/query below that URL (404)',
      remedy: 'give --prometheus the URL with its path, such as https://HOST/prometheus',
    };
  if (status === 429 || status === 503)
    return {
      detail: `it has too much to do or is not ready (${status})${said(body)}`,
      remedy: 'ask again later',
    };
  if (status === 200)
    return { detail: 'problem' in vector ? `${vector.problem}${said(body)}` : 'it answers', remedy: WHERE };
  return { detail: `it answers ${status}${said(body)}`, remedy: 'see its log' };
}

function ofItsOwn(
  status: number,
  { error, type }: { readonly error: string; readonly type: string },
): Problem {
  const detail = `it says ${shown(error)} (${[status, type].filter((part) => part !== '').join(' ')})`;
  if (type === 'bad_data') return { detail, remedy: 'see whether each --prometheus-matcher is one to it' };
  if (type === 'timeout' || type === 'canceled' || /too many/i.test(error)) return { detail, remedy: FEWER };
  return { detail, remedy: 'see its log' };
}

function ofWebPage(status: number, body: string): Problem {
  const detail = `it answers a web page (${status})`;
  return /grafana/i.test(body)
    ? {
        detail: `${detail}, as Grafana does`,
        remedy:
          'give --prometheus the URL of the Prometheus that Grafana asks: it stands in the data source there',
      }
    : {
        detail,
        remedy: 'give --prometheus the URL of Prometheus itself, with its path; behind a login give a token',
      };
}

function entryOf({ url, bearerTokenFile, username }: PrometheusTarget): string {
  if (/^https:\/\/aps-workspaces\./i.test(url))
    return 'Amazon Managed Prometheus wants each request signed (SigV4): ask through a proxy that signs, such as aws-sigv4-proxy';
  if (bearerTokenFile !== null)
    return 'see that the token in --prometheus-bearer-token-file is valid and may query';
  if (username !== null)
    return 'see that --prometheus-username and the password in --prometheus-password-file are right and may query';
  return 'give --prometheus-bearer-token-file, or --prometheus-username and --prometheus-password-file';
}

function said(body: string): string {
  return body.trim() === '' ? '' : `: ${shown(body.trim())}`;
}

/** In quotes, on one line, and cut where it is long: it is somebody else's text. */
function shown(text: string): string {
  const line = text.replace(/[\p{C}\s]+/gu, ' ').trim();
  return JSON.stringify(line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}...` : line);
}
