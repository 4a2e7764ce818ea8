/** The instance metadata service, version 2: no answer without a token. */
import type { Program } from './program.ts';
import type { Reply, Rule } from './servers.ts';

export const IMDS_ADDRESSES = ['169.254.169.254', 'fd00:ec2::254'] as const;
const PORT = 80;
const TOKEN = 'AQAEAL-token';
const MACS = '/latest/meta-data/network/interfaces/macs/';
const MAC = '06:e5:43:29:8f:08';
const NOT_FOUND: Reply = {
  status: 404,
  body: '<?xml version="1.0"?><html><body><h1>404 - Not Found</h1></body></html>',
};

export class Imds {
  readonly #far: Program;

  private constructor(far: Program) {
    this.#far = far;
  }

  static async start(far: Program): Promise<Imds> {
    await far.listen({ addresses: IMDS_ADDRESSES, port: PORT, rules: [] });
    return new Imds(far);
  }

  /** The VPC has these CIDRs; without any of a family, that is 404. */
  give(cidrs: readonly string[]): Promise<void> {
    const of = (isOfFamily: (cidr: string) => boolean): Reply => {
      const some = cidrs.filter(isOfFamily);
      return some.length === 0 ? NOT_FOUND : { status: 200, body: some.join('\n') };
    };
    const data = { method: 'GET', headers: { 'x-aws-ec2-metadata-token': TOKEN } };
    return this.#answer([
      { ...data, path: MACS, reply: { status: 200, body: `${MAC}/\n` } },
      { ...data, path: `${MACS}${MAC}/vpc-ipv4-cidr-blocks`, reply: of((cidr) => !cidr.includes(':')) },
      { ...data, path: `${MACS}${MAC}/vpc-ipv6-cidr-blocks`, reply: of((cidr) => cidr.includes(':')) },
      { ...data, reply: NOT_FOUND },
      { method: 'GET', reply: { status: 401 } },
    ]);
  }

  /** Every question for data, whatever it is, has this answer. */
  reply(reply: Reply): Promise<void> {
    return this.#answer([{ method: 'GET', reply }]);
  }

  /** How often it was asked anything. */
  async requests(): Promise<number> {
    const served = await Promise.all(IMDS_ADDRESSES.map((address) => this.#far.served(address, PORT)));
    return served.flat().length;
  }

  async #answer(rules: readonly Rule[]): Promise<void> {
    const token = { method: 'PUT', path: '/latest/api/token' };
    const all = [{ ...token, reply: { status: 200, body: TOKEN } }, ...rules];
    for (const address of IMDS_ADDRESSES) await this.#far.answer(address, PORT, all);
  }
}
