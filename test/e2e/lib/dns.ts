/** The VPC's DNS server, whose answer can be flipped and who can fall silent: dnsmasq in the far host. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ENVIRONMENT, type Host, within } from './command.ts';

export interface DnsOptions {
  /** Network namespace and address to listen in and on. */
  readonly host: Host;
  readonly address: string;
  /** An empty folder of its own. */
  readonly folder: string;
  readonly ttlSeconds: number;
  /** The name it answers for; of a family that it has no address of, the answer is empty, not NXDOMAIN. */
  readonly hostname: string;
}

export class Dns {
  readonly #options: DnsOptions;
  #server: ChildProcess | null = null;

  constructor(options: DnsOptions) {
    this.#options = options;
  }

  /** Starts it. It answers within moments: ask until it does. */
  async start(addresses: readonly string[]): Promise<void> {
    await mkdir(this.#hosts, { recursive: true });
    await this.answer(addresses);
    const { host, address, hostname, ttlSeconds } = this.#options;
    const [program, args] = within(host, [
      ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--pid-file=', '--user=root'],
      ...['--no-resolv', '--no-hosts', '--no-poll', '--bind-interfaces', `--listen-address=${address}`],
      ...[
        `--hostsdir=${this.#hosts}`,
        `--local=/${hostname}/`,
        '--local=/example/',
        `--local-ttl=${ttlSeconds}`,
      ],
    ]);
    this.#server = spawn(program, args, { env: ENVIRONMENT, stdio: 'ignore' });
  }

  /** Other addresses from now on; dnsmasq watches the folder and takes them up within some 200 ms. */
  answer(addresses: readonly string[]): Promise<void> {
    return this.name(this.#options.hostname, addresses);
  }

  /** The same for another name, one of `.example`. */
  async name(hostname: string, addresses: readonly string[]): Promise<void> {
    const lines = addresses.map((address) => `${address} ${hostname}\n`);
    const beside = join(this.#options.folder, `next-${hostname}`);
    await writeFile(beside, lines.join(''));
    await rename(beside, join(this.#hosts, hostname));
  }

  /** Questions find a server that never answers. */
  pause(): void {
    this.#signal('SIGSTOP');
  }

  resume(): void {
    this.#signal('SIGCONT');
  }

  /** Questions are refused by the host: there is no server. */
  stop(): void {
    this.#signal('SIGKILL');
    this.#server = null;
  }

  get #hosts(): string {
    return join(this.#options.folder, 'hosts');
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#server === null) throw new Error(`Cannot send "${signal}" to the DNS server: it does not run`);
    this.#server.kill(signal);
  }
}
