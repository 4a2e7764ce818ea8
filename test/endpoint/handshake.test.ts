import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  caProblem,
  type HandshakeResult,
  type HandshakeTarget,
  handshake,
} from '../../src/endpoint/handshake.ts';
import type { ProbeStage } from '../../src/model/observation.ts';
import { portOf, tlsFixture } from '../support/web-server.ts';

const NAME = 'ABC.gr7.ap-northeast-2.eks.amazonaws.com';
const CA = tlsFixture('ca.crt');
/** For handshakes that end by themselves: nothing here waits for it. */
const LONG_MS = 60_000;
/** For handshakes that the deadline must end. */
const SHORT_MS = 100;
const OK: HandshakeResult = { failedStage: null, error: null };
function failed(failedStage: ProbeStage, error: string, otherCa = false): HandshakeResult {
  return { failedStage, error, otherCa };
}
const PROTOCOLS = ['TLSv1.2', 'TLSv1.3'] as const;

/** Certificates of one key, each its own authority, for what test/fixtures/tls does not have. */
const KEY = `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIDV3giJWbR2p3Pf4oSJqiIj/gc3dA7wZyF7yOyNhnqOnoAoGCCqGSM49
AwEHoUQDQgAEvkqt0A57T8kaHA74ODsrZu0Zi+/qKMFkzz0DAFqe/d8mhLKfrIOu
UobowgxIudW9+OkT54Pr5wyNyXiL1P7BWw==
-----END EC PRIVATE KEY-----`;
const EXPIRED = `-----BEGIN CERTIFICATE-----
MIIBUDCB96ADAgECAhQwlKwIBlYhgj7LL7NtykAdgd22WjAKBggqhkjOPQQDAjAM
MQowCAYDVQQDDAF0MB4XDTIwMDEwMTAwMDAwMFoXDTIxMDEwMTAwMDAwMFowDDEK
MAgGA1UEAwwBdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABL5KrdAOe0/JGhwO
+Dg7K2btGYvv6ijBZM89AwBanv3fJoSyn6yDrlKG6MIMSLnVvfjpE+eD6+cMjcl4
i9T+wVujNzA1MBQGA1UdEQQNMAuCCWxvY2FsaG9zdDAdBgNVHQ4EFgQUrfFf9FVz
wMqQZ8IGHTfgU8lQlWcwCgYIKoZIzj0EAwIDSAAwRQIhAKRMb3VobQDlgXNfKqOh
qdSYkEM7+yvHh6oiifPJhrHsAiBXzq1ZnYwNn3gXNeCHVL0MOe9K9In/Rye9YjBG
+razoA==
-----END CERTIFICATE-----`;
const FUTURE = `-----BEGIN CERTIFICATE-----
MIIBVDCB+6ADAgECAhRg6FZ8fAL24ChUGZ5V4J9qWx0uJDAKBggqhkjOPQQDAjAM
MQowCAYDVQQDDAF0MCIYDzIxMDAwMTAxMDAwMDAwWhgPMjEyNTAxMDEwMDAwMDBa
MAwxCjAIBgNVBAMMAXQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAS+Sq3QDntP
yRocDvg4Oytm7RmL7+oowWTPPQMAWp793yaEsp+sg65ShujCDEi51b346RPng+vn
DI3JeIvU/sFbozcwNTAUBgNVHREEDTALgglsb2NhbGhvc3QwHQYDVR0OBBYEFK3x
X/RVc8DKkGfCBh034FPJUJVnMAoGCCqGSM49BAMCA0gAMEUCIHvSdQW6FjWJw/S9
bMuMhFWJsFN2najmdLa/P1jkDb96AiEAyEwBpX4UWc+REjH34bC6/K5J+GINWcxf
1RObdrBtwMQ=
-----END CERTIFICATE-----`;
const CLIENT = `-----BEGIN CERTIFICATE-----
MIIBaDCCAQ6gAwIBAgIULJ5vUgktPciNUpEa2+9qX8M+qNkwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBdDAgFw0yNTAxMDEwMDAwMDBaGA8yMTI1MDEwMTAwMDAwMFow
DDEKMAgGA1UEAwwBdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABL5KrdAOe0/J
GhwO+Dg7K2btGYvv6ijBZM89AwBanv3fJoSyn6yDrlKG6MIMSLnVvfjpE+eD6+cM
jcl4i9T+wVujTDBKMBQGA1UdEQQNMAuCCWxvY2FsaG9zdDATBgNVHSUEDDAKBggr
BgEFBQcDAjAdBgNVHQ4EFgQUrfFf9FVzwMqQZ8IGHTfgU8lQlWcwCgYIKoZIzj0E
AwIDSAAwRQIgJ/inmUxk/YSAayqmI8tQqFYKpup2FN+ty3SW+3WjN10CIQDReJyK
oiL1WYIrk+KRkoMUWQ7N0caHuV5TEwWCp3Tdsw==
-----END CERTIFICATE-----`;
const NAMELESS = `-----BEGIN CERTIFICATE-----
MIIBYjCCAQigAwIBAgIUJlnbgAXvHO3IW4jm4lm/eMW8N0UwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI1MDEwMTAwMDAwMFoYDzIxMjUwMTAx
MDAwMDAwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAS+Sq3QDntPyRocDvg4Oytm7RmL7+oowWTPPQMAWp793yaEsp+sg65S
hujCDEi51b346RPng+vnDI3JeIvU/sFbozYwNDATBgNVHSUEDDAKBggrBgEFBQcD
ATAdBgNVHQ4EFgQUrfFf9FVzwMqQZ8IGHTfgU8lQlWcwCgYIKoZIzj0EAwIDSAAw
RQIgX8HVUpyJ+3V5jagZ6L93yUc2ROtaicGmXfNlvCytnmICIQCAXlOZTiA4tzm5
twoGA5UaNnbHPdHmoZTHfxrP1zl02g==
-----END CERTIFICATE-----`;
const MANY = `-----BEGIN CERTIFICATE-----
MIIBbTCCARKgAwIBAgIUZt9CCYjAdStNgFmlO6yVrUD98BowCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBdDAgFw0yNTAxMDEwMDAwMDBaGA8yMTI1MDEwMTAwMDAwMFow
DDEKMAgGA1UEAwwBdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABL5KrdAOe0/J
GhwO+Dg7K2btGYvv6ijBZM89AwBanv3fJoSyn6yDrlKG6MIMSLnVvfjpE+eD6+cM
jcl4i9T+wVujUDBOMC0GA1UdEQQmMCSCAWGCAWKCAWOCAWSCAWWCAWaCAWeCAWiC
AWmCAWqCAWuCAWwwHQYDVR0OBBYEFK3xX/RVc8DKkGfCBh034FPJUJVnMAoGCCqG
SM49BAMCA0kAMEYCIQDgBTMwJh87iAJ3j8tqM2Qr8YdEniywbwudhWGCWnfmAQIh
APtkhEGRrZ1igh/M2QvvL/VDkbGbZUfcZfNNfTuuJscF
-----END CERTIFICATE-----`;

/** Signed by an authority of the same name as `NAMESAKE` (EKS names all of them "kubernetes"), but not by it. */
const OF_NAMESAKE = `-----BEGIN CERTIFICATE-----
MIIBPDCB46ADAgECAhQ9TxZywlGWUNxw5m4x23JF5ij26jAKBggqhkjOPQQDAjAV
MRMwEQYDVQQDDAprdWJlcm5ldGVzMCAXDTI1MDEwMTAwMDAwMFoYDzIxMjUwMTAx
MDAwMDAwWjAMMQowCAYDVQQDDAF0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
vkqt0A57T8kaHA74ODsrZu0Zi+/qKMFkzz0DAFqe/d8mhLKfrIOuUobowgxIudW9
+OkT54Pr5wyNyXiL1P7BW6MYMBYwFAYDVR0RBA0wC4IJbG9jYWxob3N0MAoGCCqG
SM49BAMCA0gAMEUCIQDvBAfe/EQoxDoKo5pyTzQvSlsvEIeuZma1pqPYX8zNDwIg
d0Ofz04S2qV6DUzNGA1262evbY8+yoEWjK+mDZVCxps=
-----END CERTIFICATE-----`;
const NAMESAKE = `-----BEGIN CERTIFICATE-----
MIIBQDCB56ADAgECAhRHl8wP16zzPS78dlCEBi7/gLXpdTAKBggqhkjOPQQDAjAV
MRMwEQYDVQQDDAprdWJlcm5ldGVzMCAXDTI1MDEwMTAwMDAwMFoYDzIxMjUwMTAx
MDAwMDAwWjAVMRMwEQYDVQQDDAprdWJlcm5ldGVzMFkwEwYHKoZIzj0CAQYIKoZI
zj0DAQcDQgAEzTnPmsHUIN3AultJDvitSdojWyjwxcpv8Gs5scPqXAs5Wlm8qMra
faeTV9MPx+JPn+2Vp9eAEIFoIDb3c7h7I6MTMBEwDwYDVR0TAQH/BAUwAwEB/zAK
BggqhkjOPQQDAgNIADBFAiANL6D5+/BjeF1SG+jDG1Yoc9YMwDo9c4snOKatLPi3
RQIhANZq0wGGPIhjA5t6HClXJ+aQB3g5+GZ3jQcCH37lCCgB
-----END CERTIFICATE-----`;

/** With `port`: to 127.0.0.1, for the endpoint's name. */
function shake(port: number, more: Partial<HandshakeTarget> = {}): Promise<HandshakeResult> {
  return handshake({ address: '127.0.0.1', port, hostname: NAME, ca: CA, deadlineMs: LONG_MS, ...more });
}

/** What a TLS server noted of its connections, each in the words of its log. */
interface TlsServer {
  readonly port: number;
  readonly completed: readonly string[];
  /** Handshakes that were cut short, errors afterwards, and bytes that were sent: nobody wants to read of them. */
  readonly complaints: readonly string[];
  /** Connections that the client ended in order, and that are closed. */
  readonly ended: readonly string[];
}

type Certificate = 'server' | 'other' | 'misnamed';

function certified(name: Certificate): TlsOptions {
  return { cert: tlsFixture(`${name}.crt`), key: tlsFixture(`${name}.key`) };
}

async function startTlsServer(
  options: TlsOptions & { readonly host?: string; readonly onSecure?: (socket: TLSSocket) => void },
): Promise<TlsServer> {
  const { host = '127.0.0.1', onSecure, ...tlsOptions } = options;
  const completed: string[] = [];
  const complaints: string[] = [];
  const ended: string[] = [];
  const server = createTlsServer(tlsOptions, (socket) => {
    completed.push(`${socket.getProtocol()} ${'servername' in socket ? socket.servername : undefined}`);
    socket.on('data', () => complaints.push('data'));
    socket.on('error', (error) => complaints.push(error.message));
    socket.on('end', () => socket.once('close', () => ended.push('in order')));
    onSecure?.(socket);
  });
  server.on('tlsClientError', (error) => complaints.push(`handshake: ${error.message}`));
  return { port: await listening(server, host), completed, complaints, ended };
}

/** A server without TLS that does with a connection as it is told. */
async function startTcpServer(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  return listening(server, '127.0.0.1');
}

async function listening(server: Server, host: string): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket) => open.add(socket));
  onTestFinished(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  server.listen(0, host);
  await once(server, 'listening');
  return portOf(server);
}

/** A port where nobody listens any more. */
async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

/** A port that answers no more: whoever listens there sleeps, and its queue is full. */
async function startDeafServer(): Promise<number> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
    const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 });
    server.on('listening', () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`,
    { eval: true },
  );
  const [port] = await once(worker, 'message');
  const queued = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  onTestFinished(async () => {
    for (const socket of queued) socket.destroy();
    await worker.terminate();
  });
  // The kernel takes one more than the backlog.
  await vi.waitFor(() => expect(queued.filter(({ connecting }) => !connecting)).toHaveLength(2));
  return port;
}

function talk(socket: TLSSocket): void {
  const timer = setInterval(() => socket.write('x'), 1);
  socket.on('close', () => clearInterval(timer));
}

describe.each(PROTOCOLS)('a server of %s', (protocol) => {
  test.each<[string, Certificate, HandshakeResult]>([
    ['is this cluster', 'server', OK],
    [
      'is of another authority',
      'other',
      failed(
        'identity',
        expect.stringMatching(/^the certificate is not signed by the cluster's CA \(\w+\); it names ABC/),
        true,
      ),
    ],
    [
      'has another name',
      'misnamed',
      failed('identity', `the certificate is not for "${NAME}"; it names another.example`),
    ],
  ])('%s: and it sees a whole handshake, no request, and an orderly end', async (_, certificate, result) => {
    const times = 20;
    const server = await startTlsServer({ ...certified(certificate), maxVersion: protocol });
    const results = await Promise.all(Array.from({ length: times }, () => shake(server.port)));
    expect(results).toEqual(Array.from({ length: times }, () => result));
    await vi.waitFor(() => expect(server.ended).toHaveLength(times));
    expect(server.completed).toEqual(Array.from({ length: times }, () => `${protocol} ${NAME}`));
    expect(server.complaints).toEqual([]);
  });

  test('asks for a certificate of ours, as API servers do: it gets none, and goes on', async () => {
    const options = { requestCert: true, rejectUnauthorized: false, maxVersion: protocol };
    const server = await startTlsServer({ ...certified('server'), ...options });
    expect(await shake(server.port)).toEqual(OK);
    await vi.waitFor(() => expect(server.ended).toHaveLength(1));
    expect(server.complaints).toEqual([]);
  });

  test.each<[string, (socket: TLSSocket) => void]>([
    ['never closes', () => undefined],
    ['never closes, and goes on talking', talk],
  ])('%s: nobody waits for it, and the result stands', async (_, onSecure) => {
    const options = { maxVersion: protocol, allowHalfOpen: true, onSecure };
    const [right, wrong] = await Promise.all([
      startTlsServer({ ...certified('server'), ...options }),
      startTlsServer({ ...certified('misnamed'), ...options }),
    ]);
    expect(await Promise.all([shake(right.port), shake(wrong.port)])).toMatchObject([
      OK,
      { failedStage: 'identity' },
    ]);
  });
});

test('the deadline ends the wait for the other side to close, and the result stands', async () => {
  const server = await startTlsServer({ ...certified('server'), allowHalfOpen: true });
  expect(await shake(server.port, { deadlineMs: 450 })).toEqual(OK);
});

test('a connection that is reset after the handshake has shown who is there', async () => {
  const open: Socket[] = [];
  const onSecure = () => {
    for (const socket of open) socket.resetAndDestroy();
  };
  const server = await startTlsServer({ ...certified('server'), onSecure });
  const middle = await startTcpServer((socket) => {
    open.push(socket);
    socket.pipe(connect(server.port, '127.0.0.1')).pipe(socket);
  });
  expect(await shake(middle)).toEqual(OK);
});

describe('the name', () => {
  test('is sent as it is written, and compared without case', async () => {
    const server = await startTlsServer(certified('server'));
    expect(await shake(server.port, { hostname: NAME.toLowerCase() })).toEqual(OK);
    expect(server.completed).toEqual([`TLSv1.3 ${NAME.toLowerCase()}`]);
  });

  test.each(['127.0.0.1', '10.100.0.1', '::1', '0:0:0:0:0:0:0:1'])(
    '%s is an address of the certificate, and is not sent',
    async (hostname) => {
      const server = await startTlsServer(certified('server'));
      expect(await shake(server.port, { hostname })).toEqual(OK);
      expect(server.completed).toEqual(['TLSv1.3 false']);
    },
  );

  test.each(['10.100.0.2', '::2', '127.0.0.10'])(
    '%s is no address of the certificate, wherever it is shown',
    async (hostname) => {
      const server = await startTlsServer(certified('server'));
      expect(await shake(server.port, { hostname })).toMatchObject({
        failedStage: 'identity',
        error: expect.stringContaining(`is not for "${hostname}"`),
      });
      expect(server.completed).toEqual(['TLSv1.3 false']);
    },
  );

  test.each(['gr7.ap-northeast-2.eks.amazonaws.com', `x.${NAME}`, 'x.example', 'localhost.example'])(
    '%s is not in the certificate',
    async (hostname) => {
      const server = await startTlsServer(certified('server'));
      expect(await shake(server.port, { hostname })).toMatchObject({ failedStage: 'identity' });
    },
  );

  test('an IPv6 address is connected to', async () => {
    const server = await startTlsServer({ ...certified('server'), host: '::1' });
    expect(await shake(server.port, { address: '::1' })).toEqual(OK);
    expect(server.completed).toHaveLength(1);
  });
});

describe('the authority', () => {
  test('is the one that was given, each time', async () => {
    const { port } = await startTlsServer(certified('other'));
    const otherCa = tlsFixture('other-ca.crt');
    const stages: unknown[] = [];
    for (const ca of [otherCa, CA, otherCa, otherCa]) stages.push((await shake(port, { ca })).failedStage);
    expect(stages).toEqual([null, 'identity', null, null]);
  });

  test.each<Certificate>(['server', 'other'])('is any of several: %s', async (certificate) => {
    const { port } = await startTlsServer(certified(certificate));
    expect(await shake(port, { ca: `${tlsFixture('other-ca.crt')}\nand\n${CA}` })).toEqual(OK);
  });

  test('need not be signed by itself: Go trusts whatever is in the file', async () => {
    const { port } = await startTlsServer(certified('server'));
    expect(await shake(port, { ca: tlsFixture('server.crt') })).toEqual(OK);
  });

  test.each(['', 'no PEM'])('is never a public one: with %j nobody is asked', async (ca) => {
    const server = await startTlsServer(certified('server'));
    expect(await shake(server.port, { ca })).toEqual(
      failed('identity', 'the CA cannot be used: it holds no PEM certificate (-----BEGIN CERTIFICATE-----)'),
    );
    expect([server.completed, server.complaints]).toEqual([[], []]);
  });

  test.each([
    ['a certificate', CA, true],
    ['several', `${CA}${tlsFixture('other-ca.crt')}`, true],
    ['a certificate with CRLF', CA.replaceAll('\n', '\r\n'), true],
    ['nothing', '', false],
    ['a key', tlsFixture('server.key'), false],
    ['half a certificate', CA.slice(0, CA.length / 2), false],
    ['base64 without its PEM lines', CA.replaceAll(/-----.*-----/g, ''), false],
  ])('%s: a CA is told from what is none', (_, text, isCa) => {
    expect(caProblem(text)).toEqual(
      isCa ? null : expect.stringMatching(/^it holds no PEM certificate.*[^.]$/),
    );
  });
});

describe('certificates that no client of the node would take', () => {
  test.each<[string, string, string]>([
    [
      'expired',
      EXPIRED,
      "the certificate or its CA's has expired by this node's clock (CERT_HAS_EXPIRED); it is valid until Jan  1 00:00:00 2021 GMT; it names localhost",
    ],
    [
      'not valid yet',
      FUTURE,
      "the certificate or its CA's is not valid yet by this node's clock (CERT_NOT_YET_VALID); it is valid from Jan  1 00:00:00 2100 GMT; it names localhost",
    ],
    ['for clients', CLIENT, 'the certificate cannot be trusted (INVALID_PURPOSE); it names localhost'],
    [
      'that has the name only as subject',
      NAMELESS,
      'the certificate is not for "localhost"; it names nobody',
    ],
    [
      'for a dozen others',
      MANY,
      'the certificate is not for "localhost"; it names a, b, c, d, e, f, g, h, i, j and 2 more',
    ],
  ])('one %s', async (_, cert, error) => {
    const server = await startTlsServer({ cert, key: KEY });
    expect(await shake(server.port, { hostname: 'localhost', ca: cert })).toEqual(failed('identity', error));
    await vi.waitFor(() => expect(server.ended).toHaveLength(1));
    expect(server.complaints).toEqual([]);
  });
});

describe("another CA's certificate", () => {
  const chain = (certificate: Certificate) =>
    `${tlsFixture(`${certificate}.crt`)}${tlsFixture('other-ca.crt')}`;

  test.each<[string, string, TlsOptions, string?]>([
    ['alone', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', certified('other')],
    ['with its CA', 'SELF_SIGNED_CERT_IN_CHAIN', { ...certified('other'), cert: chain('other') }],
    ['that signed itself', 'DEPTH_ZERO_SELF_SIGNED_CERT', { cert: MANY, key: KEY }],
    ["of a CA with our CA's name", 'CERT_SIGNATURE_FAILURE', { cert: OF_NAMESAKE, key: KEY }, NAMESAKE],
  ])('%s is one', async (_, code, options, ca = CA) => {
    const { port } = await startTlsServer(options);
    const error = `the certificate is not signed by the cluster's CA (${code}); `;
    expect(await shake(port, { ca, hostname: 'localhost' })).toEqual(
      failed('identity', expect.stringContaining(error), true),
    );
  });

  test.each([
    ['expired', EXPIRED, 'CERT_HAS_EXPIRED'],
    ['not valid yet', FUTURE, 'CERT_NOT_YET_VALID'],
    ['for clients', CLIENT, 'INVALID_PURPOSE'],
  ])(
    'that is %s besides is told by that, as ours would be: then nobody knows whose it is',
    async (_, cert, code) => {
      const { port } = await startTlsServer({ cert, key: KEY });
      expect(await shake(port, { hostname: 'localhost' })).toEqual(
        failed('identity', expect.stringContaining(`(${code})`)),
      );
    },
  );
});

describe('no handshake', () => {
  test('nobody listens', async () => {
    expect(await shake(await unusedPort())).toEqual(
      failed('tcp', 'the connection was refused (ECONNREFUSED)'),
    );
  });

  test('nobody answers', async () => {
    expect(await shake(await startDeafServer(), { deadlineMs: SHORT_MS })).toEqual(
      failed('tcp', 'the address did not answer within 0.1 s'),
    );
  });

  test('a port that is none is a failure like any other', async () => {
    expect(await shake(70_000)).toMatchObject({
      failedStage: 'tcp',
      error: expect.stringContaining('70000'),
    });
  });

  test('silence after the connection: it is given up, and closed', async () => {
    const closed: boolean[] = [];
    const port = await startTcpServer((socket) => socket.resume().on('close', () => closed.push(true)));
    expect(await shake(port, { deadlineMs: SHORT_MS })).toEqual(
      failed('tls', 'connected, but no TLS handshake within 0.1 s'),
    );
    await vi.waitFor(() => expect(closed).toEqual([true]));
  });

  const cutShort = 'the connection was closed before the TLS handshake was complete (ECONNRESET)';
  const notTls = 'no TLS handshake: wrong version number (ERR_SSL_WRONG_VERSION_NUMBER)';
  test.each<[string, (socket: Socket) => void, string]>([
    ['closes at once', (socket) => socket.end(), cutShort],
    ['resets at once', (socket) => socket.resetAndDestroy(), cutShort],
    ['closes when we speak', (socket) => socket.once('data', () => socket.end()), cutShort],
    ['resets when we speak', (socket) => socket.once('data', () => socket.resetAndDestroy()), cutShort],
    ['speaks HTTP', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), notTls],
    ['speaks SSH', (socket) => socket.write('SSH-2.0-OpenSSH_9.9\r\n'), notTls],
  ])('the other side %s', async (_, onConnection, error) => {
    expect(await shake(await startTcpServer(onConnection))).toEqual(failed('tls', error));
  });

  test('the other side sends the beginning of a record, and on and on', async () => {
    const port = await startTcpServer((socket) => {
      socket.write(Uint8Array.of(0x16, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc));
      const timer = setInterval(() => socket.write('a'), 1);
      socket.on('close', () => clearInterval(timer));
    });
    expect(await shake(port, { deadlineMs: SHORT_MS })).toMatchObject({ failedStage: 'tls' });
  });

  test('the other side has no protocol in common with us', async () => {
    const options: TlsOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' };
    const { port } = await startTlsServer({ ...certified('server'), ...options });
    expect(await shake(port)).toEqual(
      failed('tls', expect.stringMatching(/^no TLS handshake: .*alert.* \(ERR_SSL_\w+\)$/)),
    );
  });
});
