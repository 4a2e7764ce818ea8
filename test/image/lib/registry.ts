/**
 * As much of an image registry as a push and a pull ask for, on loopback, in memory:
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

export class Registry implements AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** Blobs and manifests, by digest. */
  readonly #content = new Map<string, Buffer>();
  /** The digest of each `name:tag`. */
  readonly #tags = new Map<string, string>();
  /** Media types of manifests, by digest. */
  readonly #types = new Map<string, string>();
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.host = `127.0.0.1:${port}`;
    server.on('request', (request, response) => {
      this.#answer(request, response).catch((error) => response.destroy(error));
    });
  }

  static async start(): Promise<Registry> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('Cannot listen on loopback');
    return new Registry(server, address.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** What has been pushed: `name:tag`, with its digest. */
  get tags(): ReadonlyMap<string, string> {
    return this.#tags;
  }

  content(digest: string): Buffer {
    const content = this.#content.get(digest);
    if (content === undefined) throw new Error(`Cannot find "${digest}" in the registry`);
    return content;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const { pathname, searchParams } = new URL(url, `http://${this.host}`);
    const body = await buffer(request);
    const [, name = '', kind, reference = ''] =
      /^\/v2\/(.+)\/(blobs|manifests|uploads)\/([^/]*)$/.exec(pathname) ?? [];
    if (pathname === '/v2/') {
      response.end('{}');
    } else if (method === 'POST' || method === 'PATCH') {
      // One upload is one folder of its own: its parts follow each other.
      const upload = method === 'POST' ? `/v2/${name}/uploads/${crypto.randomUUID()}` : pathname;
      this.#content.set(upload, Buffer.concat([this.#content.get(upload) ?? Buffer.alloc(0), body]));
      response.writeHead(202, { location: upload, range: '0-0' }).end();
    } else if (method === 'PUT' && kind === 'uploads') {
      const whole = Buffer.concat([this.#content.get(pathname) ?? Buffer.alloc(0), body]);
      this.#content.delete(pathname);
      const digest = this.#keep(whole);
      response.writeHead(digest === searchParams.get('digest') ? 201 : 400).end();
    } else if (method === 'PUT') {
      const digest = this.#keep(body);
      this.#types.set(digest, request.headers['content-type'] ?? '');
      if (!reference.startsWith('sha256:')) this.#tags.set(`${name}:${reference}`, digest);
      response.writeHead(201, { 'docker-content-digest': digest }).end();
    } else {
      this.#give(this.#tags.get(`${name}:${reference}`) ?? reference, response, method);
    }
  }

  #give(digest: string, response: ServerResponse, method: string): void {
    const content = this.#content.get(digest);
    if (content === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
      return;
    }
    response.writeHead(200, {
      'content-type': this.#types.get(digest) ?? 'application/octet-stream',
      'content-length': content.length,
      'docker-content-digest': digest,
    });
    response.end(method === 'HEAD' ? undefined : content);
  }

  #keep(content: Buffer): string {
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    this.#content.set(digest, content);
    return digest;
  }
}
