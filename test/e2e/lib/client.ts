/** kubelet and kube-proxy, as the tests hold them. */
import type { Program } from './program.ts';
import type { Connection, ConnectOptions } from './stand-in.ts';

type From = Pick<ConnectOptions, 'localAddress' | 'localPort'>;

/** Verifies the endpoint's certificate and keeps its connections open. */
export class Client {
  readonly program: Program;
  readonly #tls: { readonly servername: string; readonly ca: string };

  constructor(program: Program, tls: { readonly servername: string; readonly ca: string }) {
    this.program = program;
    this.#tls = tls;
  }

  get pid(): number {
    return this.program.pid;
  }

  /** Opens a connection to the endpoint, wherever DNS leads, or to the given address, from the given one. */
  connect(to: string = this.#tls.servername, from: From = {}): Promise<Connection> {
    return this.program.connect({ host: to, port: 443, tls: this.#tls, ...from });
  }

  /** Ends it, its connections with it. */
  stop(): Promise<void> {
    return this.program.stop();
  }
}
