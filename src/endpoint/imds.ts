/** Asks the instance metadata service (IMDSv2) for the CIDRs of the VPC: no credentials, no SDK. */
import { type AddressRange, parseRange } from '../model/address.ts';
import { messageOf } from '../model/errors.ts';
import { IMDS_INTERVAL_MS } from '../model/freshness.ts';
import type { Clock, ImdsSeen, Moment, StageResult } from '../model/observation.ts';
import { vpcCidrProblem } from '../model/vpc-cidr.ts';
import type { HttpReply, HttpRequest, SendRequest } from '../net/http.ts';
import { jittered, Repeater } from './repeater.ts';

interface ImdsParts {
  readonly request: SendRequest;
  /** Without a path: `http://169.254.169.254`. */
  readonly endpoint: string;
  readonly clock: Clock;
  /** 0 to 1, for the jitter. */
  readonly random: () => number;
  /** The CIDRs are others than before. */
  readonly onChange: () => void;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html */
const TOKEN_PATH = '/latest/api/token';
const CARDS_PATH = '/latest/meta-data/network/interfaces/macs/';
/** Of the token: far longer than one round takes. */
const TOKEN_TTL_SECONDS = 60;

/** It is on the same host and answers within milliseconds; where it does not, nothing is there. */
const REQUEST_DEADLINE_MS = 2_000;
/** For all requests of one round. */
const DEADLINE_MS = 5_000;
/** Of one answer; the longest, 50 CIDRs, has 1 KB. */
const MAX_BYTES = 16 * 1024;
/** The largest instances have 15 network interfaces in the default namespace, and metal ones a few more. */
const MAX_CARDS = 32;
/** AWS's limit is 50 IPv4 CIDRs a VPC. */
const MAX_CIDRS = 256;
/** After a failure: with its jitter within a minute. */
const RETRY_MS = 45_000;

/** Holds what IMDS last said. Asks again by itself from the first `ask` to `stop`. */
export class ImdsSource {
  readonly #parts: ImdsParts;
  readonly #repeater: Repeater;
  #seen: ImdsSeen = { answer: null };
  #stage: StageResult | null = null;
  #stopped = false;

  constructor(parts: ImdsParts) {
    this.#parts = parts;
    this.#repeater = new Repeater(() => this.#work(), parts.clock);
  }

  /** The last good answer, however old. */
  get seen(): ImdsSeen {
    return this.#seen;
  }

  /** How the last round ended; null before the first. */
  get stage(): StageResult | null {
    return this.#stage;
  }

  /** Asks now, or joins the round under way; never rejects. */
  ask(): Promise<void> {
    return this.#repeater.now();
  }

  /** Asks no more; a round that is under way belongs to nobody. */
  stop(): void {
    this.#stopped = true;
    this.#repeater.stop();
  }

  /** Resolves with the milliseconds until the next time. */
  async #work(): Promise<number> {
    const { clock, random } = this.#parts;
    const startedAt = clock();
    const outcome = await readVpcCidrs((what) => this.#send(what, startedAt)).catch((error: unknown) => ({
      error: messageOf(error),
    }));
    if (!this.#stopped) this.#record(outcome, startedAt);
    return jittered('error' in outcome ? RETRY_MS : IMDS_INTERVAL_MS, random);
  }

  #record(outcome: readonly AddressRange[] | { readonly error: string }, startedAt: Moment): void {
    const at = this.#parts.clock();
    const durationSeconds = (at.monotonicMs - startedAt.monotonicMs) / 1000;
    if ('error' in outcome) {
      this.#stage = { stage: 'imds', success: false, durationSeconds, error: outcome.error, at };
      return;
    }
    this.#stage = { stage: 'imds', success: true, durationSeconds, error: null, at };
    const before = this.#seen.answer;
    this.#seen = { answer: { vpcCidrs: outcome, at } };
    if (before === null || textOf(before.vpcCidrs) !== textOf(outcome)) this.#parts.onChange();
  }

  /** One request of the round that began then. */
  async #send({ path, ...what }: ImdsRequest, startedAt: Moment): Promise<HttpReply> {
    const { request, endpoint, clock } = this.#parts;
    const leftMs = Math.ceil(DEADLINE_MS - (clock().monotonicMs - startedAt.monotonicMs));
    if (leftMs <= 0) throw new Error(`IMDS is too slow: not everything was read in ${DEADLINE_MS / 1000} s`);
    const deadlineMs = Math.min(REQUEST_DEADLINE_MS, leftMs);
    return request({ ...what, url: `${endpoint}${path}`, deadlineMs, maxBytes: MAX_BYTES });
  }
}

interface ImdsRequest extends Pick<HttpRequest, 'method' | 'headers'> {
  readonly path: string;
}
type Send = (what: ImdsRequest) => Promise<HttpReply>;

/** The CIDRs of all network cards, each once: a card may even be in another VPC. */
async function readVpcCidrs(send: Send): Promise<readonly AddressRange[]> {
  const token = await readToken(send);
  const cidrs = new Map<string, AddressRange>();
  for (const mac of macsOf(await readText(CARDS_PATH, token, send))) {
    for (const family of [4, 6] as const) {
      const path = `${CARDS_PATH}${mac}/vpc-ipv${family}-cidr-blocks`;
      const text = await readText(path, token, send);
      for (const cidr of cidrsOf(text, family)) cidrs.set(cidr.text, cidr);
    }
  }
  if (cidrs.size === 0) throw new SyntaxError(`IMDS names no CIDR of the VPC; ${FIX}`);
  if (cidrs.size > MAX_CIDRS) throw new SyntaxError(`IMDS names more than ${MAX_CIDRS} CIDRs; ${FIX}`);
  return [...cidrs.values()];
}

const FIX = 'give --vpc-cidr and --imds=off';

async function readToken(send: Send): Promise<string> {
  const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': String(TOKEN_TTL_SECONDS) };
  const { status, body } = await send({ method: 'PUT', path: TOKEN_PATH, headers }).catch(
    (error: unknown) => {
      // The answer to a pod is dropped on its way where the hop limit is 1, as on AL2023.
      throw new Error(`${messageOf(error)}; run in the host's network (hop limit), or ${FIX}`);
    },
  );
  if (status === 403) throw new Error(`IMDS is turned off (403); turn it on, or ${FIX}`);
  const token = body.trim();
  if (status === 200 && /^[!-~]{1,1024}$/.test(token)) return token;
  throw refused(TOKEN_PATH, `status ${status} and no token, so it is no IMDSv2`);
}

/** Empty where there is no such thing. */
async function readText(path: string, token: string, send: Send): Promise<string> {
  const { status, body } = await send({
    method: 'GET',
    path,
    headers: { 'x-aws-ec2-metadata-token': token },
  });
  if (status === 404) return '';
  if (status === 200) return body;
  throw refused(path, `status ${status}`);
}

function macsOf(text: string): readonly string[] {
  const macs = linesOf(text).map((line) => line.replace(/\/$/, ''));
  const bad = macs.find((mac) => !/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(mac));
  if (bad !== undefined) throw refused(CARDS_PATH, `${shown(bad)} is no MAC address`);
  if (macs.length === 0) throw refused(CARDS_PATH, 'there is no network card in it');
  if (macs.length > MAX_CARDS) throw refused(CARDS_PATH, `it names more than ${MAX_CARDS} network cards`);
  return macs;
}

function cidrsOf(text: string, family: 4 | 6): readonly AddressRange[] {
  return linesOf(text).map((line) => {
    const range = line.includes('/') ? parseRange(line) : null;
    const problem = range?.family === family ? vpcCidrProblem(range) : `no IPv${family} CIDR`;
    if (range === null || problem !== null) {
      throw refused(`vpc-ipv${family}-cidr-blocks`, `${shown(line)} is ${problem}`);
    }
    return range;
  });
}

/** One a line. */
function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function textOf(cidrs: readonly AddressRange[]): string {
  return cidrs
    .map(({ text }) => text)
    .sort()
    .join();
}

function refused(path: string, problem: string): SyntaxError {
  return new SyntaxError(`Cannot use ${JSON.stringify(path)} of IMDS: ${problem}; ${FIX}`);
}

function shown(line: string): string {
  return JSON.stringify(line.slice(0, 60));
}
