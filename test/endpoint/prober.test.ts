import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type HandshakeResult, type HandshakeTarget, handshake } from '../../src/endpoint/handshake.ts';
import { type ProbeIdentity, Prober } from '../../src/endpoint/prober.ts';
import type { Clock } from '../../src/model/observation.ts';
import type { Target } from '../../src/model/targets.ts';
import { address } from '../support/observation.ts';
import { answering, portOf, startWebServer, tlsFixture } from '../support/web-server.ts';

const NAME = 'ABC.gr7.ap-northeast-2.eks.amazonaws.com';
const AS = { hostname: NAME, ca: 'a CA' };
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const clock: Clock = () => ({ wallMs: Date.now(), monotonicMs: Date.now() - 1_000_000 });

const OK: HandshakeResult = { failedStage: null, error: null };
const NO_TCP: HandshakeResult = { failedStage: 'tcp', error: 'the connection was refused', otherCa: false };
const NO_TLS: HandshakeResult = { failedStage: 'tls', error: 'not TLS', otherCa: false };
const OTHER: HandshakeResult = { failedStage: 'identity', error: 'not signed by the CA', otherCa: true };
const WRONG_DATE: HandshakeResult = { failedStage: 'identity', error: 'has expired', otherCa: false };

function at(text: string, port = 443): Target {
  return { address: address(text), port };
}

const A = at('192.168.1.231');
const B = at('192.168.2.42');
const STRANGER = at('52.95.1.1');

/** As many different ones. */
function addresses(count: number): readonly Target[] {
  return Array.from({ length: count }, (_, index) => at(`10.0.${index >> 8}.${index & 255}`));
}

/** Ends handshakes as told, by address; those without a word of it stay under way until `end`. */
class FakeHandshake {
  readonly asked: HandshakeTarget[] = [];
  readonly results = new Map<string, HandshakeResult>();
  readonly #open: { readonly address: string; readonly end: (result: HandshakeResult) => void }[] = [];

  readonly shake = (target: HandshakeTarget): Promise<HandshakeResult> => {
    this.asked.push(target);
    const result = this.results.get(target.address);
    if (result !== undefined) return Promise.resolve(result);
    return new Promise((resolve) => {
      this.#open.push({ address: target.address, end: resolve });
    });
  };

  get open(): readonly string[] {
    return this.#open.map((one) => one.address);
  }

  get addresses(): readonly string[] {
    return this.asked.map((one) => one.address);
  }

  /** Ends the oldest one under way to this address. */
  async end({ address: { text } }: Target, result: HandshakeResult): Promise<void> {
    const index = this.open.indexOf(text);
    const [one] = this.#open.splice(index, index < 0 ? 0 : 1);
    if (one === undefined) throw new Error(`no handshake with ${text} is under way`);
    one.end(result);
    await vi.advanceTimersByTimeAsync(0);
  }
}

describe('with handshakes that end as they are told', () => {
  let fake: FakeHandshake;
  let changes: number;
  let random: number;
  let prober: Prober;

  beforeEach(() => {
    vi.useFakeTimers();
    fake = new FakeHandshake();
    changes = 0;
    random = 0;
    prober = new Prober({
      handshake: fake.shake,
      clock,
      random: () => random,
      intervalMs: MINUTE_MS,
      onChange: () => {
        changes += 1;
      },
    });
  });
  afterEach(() => {
    prober.stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  async function pass(ms: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(ms);
  }

  /** From now on handshakes with these end like this at once. */
  function answer(result: HandshakeResult, ...targets: readonly Target[]): void {
    for (const target of targets) fake.results.set(target.address.text, result);
  }

  /** Follows these, and lets what ends at once end. */
  async function follow(targets: readonly Target[], as: ProbeIdentity = AS): Promise<void> {
    prober.follow(targets, as);
    await pass(0);
  }

  async function identify(...strangers: readonly Target[]): Promise<void> {
    prober.identify(strangers);
    await pass(0);
  }

  function outcomes(): readonly string[] {
    return prober.probes.map((probe) => `${probe.address.text} ${probe.failedStage}`);
  }

  function identities(): readonly string[] {
    return prober.identities.map((seen) => `${seen.address.text} ${seen.identity}`).toSorted();
  }

  function isSettled(promise: Promise<void>): () => boolean {
    let settled = false;
    void promise.then(() => {
      settled = true;
    });
    return () => settled;
  }

  describe('probing', () => {
    test('nothing is asked and nothing is said before there is anybody to ask', async () => {
      await prober.round();
      await prober.identified();
      expect([prober.probes, prober.identities, prober.stage]).toEqual([[], [], null]);
      expect(fake.asked).toEqual([]);
    });

    test('a target is asked as soon as it is known, as whom it must show itself, with 3 s to do so', async () => {
      prober.follow([A], AS);
      expect(fake.asked).toEqual([{ address: A.address.text, port: 443, ...AS, deadlineMs: 3_000 }]);
    });

    test('what came of it is timed, and kept', async () => {
      await follow([A]);
      expect(prober.probes).toEqual([]);
      await pass(250);
      await fake.end(A, OK);
      const when = { durationSeconds: 0.25, at: clock() };
      expect(prober.probes).toEqual([{ ...A, success: true, failedStage: null, error: null, ...when }]);
      expect(prober.stage).toEqual({ stage: 'probe', success: true, error: null, ...when });
    });

    test('it is asked at each interval, which begins with the probe', async () => {
      await follow([A]);
      await pass(2_000);
      await fake.end(A, OK);
      await pass(MINUTE_MS - 2_001);
      expect(fake.asked).toHaveLength(1);
      await pass(1);
      expect(fake.asked).toHaveLength(2);
      await fake.end(A, OK);
      await pass(MINUTE_MS);
      expect(fake.asked).toHaveLength(3);
    });

    test.each([
      [0, 60_000],
      [0.5, 54_000],
      [1, 48_000],
    ])('with chance %d the interval is %d ms: never longer than it was set to', async (chance, ms) => {
      random = chance;
      answer(OK, A);
      await follow([A]);
      await pass(ms - 1);
      expect(fake.asked).toHaveLength(1);
      await pass(1);
      expect(fake.asked).toHaveLength(2);
    });

    test('each target has a schedule of its own', async () => {
      answer(OK, A, B);
      await follow([A]);
      await pass(20_000);
      await follow([A, B]);
      await pass(40_000);
      expect(fake.addresses).toEqual([A, B, A].map((target) => target.address.text));
      await pass(20_000);
      expect(fake.addresses).toEqual([A, B, A, B].map((target) => target.address.text));
    });

    test('targets that are given again keep result and schedule, in their new order', async () => {
      answer(OK, A, B);
      await follow([A, B]);
      await follow([B, at(A.address.text)], { ...AS, hostname: NAME.toLowerCase() });
      expect(outcomes()).toEqual([`${B.address.text} null`, `${A.address.text} null`]);
      await pass(MINUTE_MS - 1);
      expect(fake.asked).toHaveLength(2);
      await pass(1);
      expect(fake.asked).toHaveLength(4);
    });

    test('one that is given twice is asked once; another port is another target', async () => {
      await follow([A, at(`::ffff:${A.address.text}`), at(A.address.text, 6443)]);
      expect(fake.asked.map(({ port }) => port)).toEqual([443, 6443]);
    });

    test('no more than sixteen are probed: the first', async () => {
      const many = addresses(20);
      answer(OK, ...many);
      await follow([...many.slice(0, 5), ...many]);
      expect(fake.addresses).toEqual(many.slice(0, 16).map((target) => target.address.text));
      expect(prober.probes).toHaveLength(16);
    });

    test('what is no target any more is forgotten, and asked no more', async () => {
      answer(OK, A, B);
      await follow([A, B]);
      await follow([B]);
      expect(outcomes()).toEqual([`${B.address.text} null`]);
      await pass(MINUTE_MS);
      expect(fake.addresses.filter((text) => text === A.address.text)).toHaveLength(1);
    });

    test('one that comes and goes each second is asked once an interval', async () => {
      answer(OK, A, B);
      await follow([A, B]);
      for (let second = 1; second < 60; second += 1) {
        await pass(1_000);
        await follow(second % 2 === 0 ? [A, B] : [B]);
        expect(outcomes()).toHaveLength(second % 2 === 0 ? 2 : 1);
      }
      expect(fake.asked).toHaveLength(2);
      await follow([A, B]);
      await pass(1_000);
      expect(fake.asked).toHaveLength(4);
    });

    test('one that comes and goes each second and takes three to fail is asked twice an interval', async () => {
      await follow([A]);
      for (let second = 1; second < 599; second += 1) {
        await pass(1_000);
        if (second % 3 === 0 && fake.open.length > 0) await fake.end(A, NO_TCP);
        await follow(second % 2 === 0 ? [A] : []);
      }
      // Ten runs of two attempts.
      expect(fake.asked).toHaveLength(20);
      expect(outcomes()).toEqual([`${A.address.text} tcp`]);
    });

    test('a result that comes while its target is gone is there when the target is back, with its time', async () => {
      await follow([A, B]);
      await follow([B]);
      await pass(2_000);
      await fake.end(A, OK);
      expect([prober.probes, changes]).toEqual([[], 0]);
      const when = clock();
      await pass(8_000);
      await follow([A, B]);
      expect(prober.probes).toMatchObject([{ ...A, success: true, at: when }]);
      expect(fake.open).toEqual([B.address.text]);
      await pass(49_999);
      expect(fake.open).toEqual([B.address.text]);
      await pass(1);
      expect(fake.open).toEqual([B.address.text, A.address.text]);
    });

    test('one that is back before its run has ended is not asked anew', async () => {
      await follow([A]);
      await follow([]);
      await pass(1_000);
      await follow([A]);
      expect(prober.probes).toEqual([]);
      await fake.end(A, OK);
      expect([outcomes(), fake.asked.length, changes]).toEqual([[`${A.address.text} null`], 1, 1]);
    });

    test('one that is back when it is due is asked at once, and its last result stays until then', async () => {
      random = 1;
      answer(OK, A);
      await follow([A]);
      await follow([]);
      await pass(50_000);
      fake.results.clear();
      await follow([A]);
      expect([outcomes(), fake.open.length]).toEqual([[`${A.address.text} null`], 1]);
    });

    test('one that was gone for an interval comes back without its result', async () => {
      answer(OK, A);
      await follow([A]);
      await follow([]);
      await pass(MINUTE_MS);
      fake.results.clear();
      await follow([A]);
      expect([prober.probes, fake.asked.length]).toEqual([[], 2]);
    });

    test('a target that goes while it is to be asked once more is asked that once, and no more', async () => {
      answer(NO_TCP, A);
      await follow([A]);
      await follow([]);
      await pass(HOUR_MS);
      expect([fake.asked.length, prober.probes, changes]).toEqual([2, [], 0]);
    });
  });

  describe('a DNS that gives other addresses each second', () => {
    /** Sixteen that nobody has given before. */
    function others(second: number): readonly Target[] {
      return Array.from({ length: 16 }, (_, index) => at(`10.1.${second}.${index}`));
    }

    function answerOthers(seconds: number): void {
      for (let second = 0; second < seconds; second += 1) answer(OK, ...others(second));
    }

    test('makes it ask 64 of them within an interval, each once', async () => {
      random = 1;
      answerOthers(120);
      const asked: number[] = [];
      for (let second = 0; second < 120; second += 1) {
        await follow(others(second));
        asked.push(fake.asked.length);
        await pass(1_000);
      }
      expect([0, 1, 2, 3, 4, 59, 60, 119].map((second) => asked[second])).toEqual([
        16, 32, 48, 64, 64, 64, 80, 128,
      ]);
      expect(new Set(fake.addresses).size).toBe(fake.asked.length);
      expect(vi.getTimerCount()).toBeLessThanOrEqual(16);
    });

    test('does not keep a target from being asked: it waits until one of the 64 is an interval old', async () => {
      answer(OK, A, B);
      answerOthers(5);
      await follow([B]);
      for (let second = 0; second < 5; second += 1) {
        await pass(1_000);
        await follow([B, ...others(second)]);
      }
      await follow([A, B]);
      expect([outcomes(), fake.addresses]).toEqual([
        [`${B.address.text} null`],
        expect.not.arrayContaining([A.address.text]),
      ]);
      // B is asked again after 60 s; the first of the others are an interval old after 61.
      await pass(56_000 - 1);
      expect(fake.addresses.filter((text) => text === B.address.text)).toHaveLength(2);
      expect(outcomes()).toEqual([`${B.address.text} null`]);
      await pass(1);
      expect(outcomes()).toEqual([`${A.address.text} null`, `${B.address.text} null`]);
    });

    test('does not keep those from being asked that were asked before', async () => {
      answer(OK, A);
      answerOthers(5);
      await follow([A]);
      for (let second = 0; second < 5; second += 1) await follow(others(second));
      await follow([A]);
      expect(outcomes()).toEqual([`${A.address.text} null`]);
      await pass(MINUTE_MS);
      expect(fake.addresses.filter((text) => text === A.address.text)).toHaveLength(2);
    });

    test('keeps no round from its end', async () => {
      answerOthers(4);
      for (let second = 0; second < 4; second += 1) await follow(others(second));
      await follow([A, ...others(3)]);
      await prober.round();
      expect(outcomes()).toHaveLength(15);
      expect(fake.addresses).not.toContain(A.address.text);
    });

    test('is forgotten with the identity that was asked for', async () => {
      answer(OK, A);
      answerOthers(5);
      for (let second = 0; second < 5; second += 1) await follow(others(second));
      await follow([A], { ...AS, ca: 'another CA' });
      expect(outcomes()).toEqual([`${A.address.text} null`]);
    });
  });

  describe('failing', () => {
    test('one failure is asked about once more after a second, and is no result yet', async () => {
      await follow([A]);
      await fake.end(A, NO_TCP);
      expect(prober.probes).toEqual([]);
      await pass(999);
      expect(fake.asked).toHaveLength(1);
      await pass(1);
      expect(fake.asked).toHaveLength(2);
    });

    test('the second attempt decides: success', async () => {
      await follow([A]);
      await fake.end(A, NO_TCP);
      await pass(1_100);
      await fake.end(A, OK);
      expect(prober.probes).toMatchObject([
        { success: true, error: null, durationSeconds: 0.1, at: clock() },
      ]);
    });

    test.each([
      ['the same', NO_TCP],
      ['another', NO_TLS],
      ['another still', OTHER],
    ])('the second attempt decides: %s failure', async (_, second) => {
      await follow([A]);
      await fake.end(A, NO_TCP);
      await pass(1_250);
      await fake.end(A, second);
      expect(prober.probes).toEqual([
        {
          ...A,
          success: false,
          failedStage: second.failedStage,
          error: second.error,
          durationSeconds: 0.25,
          at: clock(),
        },
      ]);
    });

    test('at the deadline twice: seven seconds from the beginning to the result, and the interval counts from there', async () => {
      await follow([A]);
      await pass(3_000);
      await fake.end(A, NO_TCP);
      await pass(4_000);
      expect(prober.probes).toEqual([]);
      await fake.end(A, NO_TCP);
      expect(outcomes()).toEqual([`${A.address.text} tcp`]);
      await pass(53_000 - 1);
      expect(fake.asked).toHaveLength(2);
      await pass(1);
      expect(fake.asked).toHaveLength(3);
    });

    test('the last result stays until the next is final', async () => {
      answer(OK, A);
      await follow([A]);
      const before = prober.probes;
      answer(NO_TLS, A);
      await pass(MINUTE_MS + 999);
      expect(prober.probes).toEqual(before);
      await pass(1);
      expect(outcomes()).toEqual([`${A.address.text} tls`]);
      answer(OK, A);
      await pass(MINUTE_MS - 1_000);
      expect(outcomes()).toEqual([`${A.address.text} null`]);
    });

    test('an address that does not answer is no failure of the stage', async () => {
      answer(NO_TCP, A);
      await follow([A]);
      expect(prober.stage).toMatchObject({ success: true, error: null });
    });

    test('an interval that is shorter than a probe is one probe after the other', async () => {
      const quick = new Prober({
        handshake: fake.shake,
        clock,
        random: () => 0,
        intervalMs: 1_000,
        onChange() {},
      });
      quick.follow([A], AS);
      await pass(3_000);
      await fake.end(A, NO_TCP);
      await pass(1_000);
      await fake.end(A, NO_TCP);
      await pass(0);
      expect(fake.asked).toHaveLength(3);
      quick.stop();
    });
  });

  test('a target that is gone for longer than a short interval is not asked beside its own run', async () => {
    const { shake } = fake;
    const quick = new Prober({ handshake: shake, clock, random: () => 0, intervalMs: 1_000, onChange() {} });
    quick.follow([A], AS);
    for (const targets of [[], [], [A]]) {
      await pass(900);
      quick.follow(targets, AS);
    }
    expect(fake.asked).toHaveLength(1);
    await fake.end(A, NO_TCP);
    quick.follow([], AS);
    quick.follow([], AS);
    quick.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  describe('as whom', () => {
    const MISSING = { missing: 'the CA of the cluster is not known' };

    test.each([
      ['hostname', { ...AS, hostname: 'other.example' }],
      ['CA', { ...AS, ca: 'another CA' }],
    ])('another %s forgets every result and asks anew', async (_, as) => {
      answer(OK, A, B, STRANGER);
      await follow([A, B]);
      await identify(STRANGER);
      fake.results.clear();
      await follow([A, B], as);
      expect([prober.probes, prober.identities]).toEqual([[], []]);
      expect(fake.asked.slice(3)).toMatchObject(
        [A, B].map((target) => ({ address: target.address.text, ...as })),
      );
    });

    test('what comes for the one before belongs to nobody', async () => {
      await follow([A]);
      await identify(STRANGER);
      await follow([A], { ...AS, ca: 'another CA' });
      await fake.end(A, OTHER);
      await fake.end(STRANGER, OTHER);
      expect([prober.probes, prober.identities, prober.stage, changes]).toEqual([[], [], null, 0]);
      await pass(HOUR_MS);
      expect(fake.asked).toHaveLength(3);
    });

    test('while it is not known nothing is asked, probes are forgotten, and the stage says why', async () => {
      answer(OK, A);
      await follow([A]);
      await follow([A], MISSING);
      await identify(STRANGER);
      const stage = {
        stage: 'probe',
        success: false,
        durationSeconds: 0,
        error: MISSING.missing,
        at: clock(),
      };
      expect(prober.stage).toEqual(stage);
      await prober.round();
      await pass(HOUR_MS);
      expect([prober.probes, fake.asked.length]).toEqual([[], 1]);
      expect(prober.stage).toEqual(stage);
    });

    test('what was under way then belongs to nobody', async () => {
      await follow([A]);
      await identify(STRANGER);
      await follow([A], MISSING);
      await fake.end(A, OK);
      await fake.end(STRANGER, OK);
      expect([prober.probes, prober.identities, changes]).toEqual([[], [], 0]);
      expect(prober.stage?.success).toBe(false);
      await prober.identified();
    });

    test('known again, one whose probe was broken off is asked anew', async () => {
      answer(NO_TCP, A);
      await follow([A]);
      await follow([A], MISSING);
      await pass(5_000);
      expect(fake.asked).toHaveLength(1);
      answer(OK, A);
      await follow([A]);
      expect([fake.asked.length, outcomes()]).toEqual([2, [`${A.address.text} null`]]);
    });

    test('known again, everything is asked, and what it told of strangers is true again', async () => {
      answer(OK, STRANGER);
      await follow([]);
      await identify(STRANGER);
      await follow([], MISSING);
      await follow([A]);
      expect(prober.stage).toBeNull();
      expect(fake.open).toEqual([A.address.text]);
      expect(identities()).toEqual([`${STRANGER.address.text} cluster`]);
      await follow([A], MISSING);
      await follow([A], { ...AS, ca: 'another CA' });
      expect(identities()).toEqual([]);
    });
  });

  describe('strangers', () => {
    test.each([
      ['cluster', OK],
      ['other', OTHER],
      ['no-answer', WRONG_DATE],
      ['no-answer', NO_TCP],
      ['no-answer', NO_TLS],
    ])('%s: they are asked once, and what they answer is remembered', async (identity, result) => {
      await follow([]);
      await identify(STRANGER);
      expect(fake.asked).toEqual([{ address: STRANGER.address.text, port: 443, ...AS, deadlineMs: 3_000 }]);
      await identify(STRANGER);
      expect(prober.identities).toEqual([]);
      await pass(500);
      await fake.end(STRANGER, result);
      expect(prober.identities).toEqual([{ ...STRANGER, identity, at: clock() }]);
      expect(prober.stage).toMatchObject({ success: true, durationSeconds: 0.5 });
      await identify(STRANGER);
      await pass(59 * MINUTE_MS);
      await identify(STRANGER);
      expect(fake.asked).toHaveLength(1);
    });

    test.each([
      ['cluster', OK],
      ['other', OTHER],
      ['no-answer', NO_TCP],
    ])(
      '%s is asked for again after an hour when it is given again; until then the old answer counts',
      async (_, result) => {
        answer(result, STRANGER);
        await follow([]);
        await identify(STRANGER);
        await pass(HOUR_MS - 1);
        await identify(STRANGER);
        expect([prober.identities.length, fake.asked.length]).toEqual([1, 1]);
        await pass(1);
        expect([prober.identities.length, fake.asked.length]).toEqual([1, 1]);
        fake.results.clear();
        await identify(STRANGER);
        const old = prober.identities;
        expect([old.length, fake.asked.length]).toEqual([1, 2]);
        await fake.end(STRANGER, NO_TLS);
        expect(prober.identities).toMatchObject([{ identity: 'no-answer' }]);
        expect(prober.identities).not.toEqual(old);
      },
    );

    test('an answer that nobody asks for any more is forgotten in the end', async () => {
      answer(OTHER, STRANGER);
      await follow([]);
      await identify(STRANGER);
      await pass(2 * HOUR_MS - 1);
      expect(prober.identities).toHaveLength(1);
      await pass(1);
      expect(prober.identities).toEqual([]);
    });

    test('an address with another port is another stranger', async () => {
      await follow([]);
      await identify(STRANGER, at(STRANGER.address.text, 6443), STRANGER);
      expect(fake.asked.map(({ port }) => port)).toEqual([443, 6443]);
    });

    test('nothing but address and port of what was given is remembered', async () => {
      answer(OK, STRANGER);
      await follow([]);
      const stranger = { ...STRANGER, seenTwice: true };
      await identify(stranger);
      expect(prober.identities).toEqual([{ ...STRANGER, identity: 'cluster', at: clock() }]);
    });

    test('one that is a target is not asked', async () => {
      answer(OK, A);
      await follow([A]);
      await identify(A);
      expect([fake.asked.length, identities()]).toEqual([1, []]);
    });

    test('one that becomes a target while it waits is not asked', async () => {
      const four = addresses(4);
      await follow([]);
      await identify(...four, A);
      answer(OK, A);
      await follow([A]);
      for (const target of four) await fake.end(target, OTHER);
      expect(fake.addresses.filter((text) => text === A.address.text)).toHaveLength(1);
      await prober.identified();
    });

    test('nobody is asked before it is known for whom to ask', async () => {
      await identify(STRANGER);
      await follow([]);
      await pass(HOUR_MS);
      expect(fake.asked).toEqual([]);
      await prober.identified();
    });

    test('four at a time are asked, in the order in which they came', async () => {
      const [first, second, third, ...rest] = addresses(7);
      if (first === undefined || second === undefined || third === undefined) throw new RangeError();
      await follow([]);
      await identify(first, second, third);
      await identify(...rest);
      expect(fake.open).toHaveLength(4);
      await fake.end(second, OK);
      expect(fake.open).toHaveLength(4);
      await fake.end(first, OK);
      expect(fake.addresses).toEqual(addresses(6).map((target) => target.address.text));
    });

    test('those of an identity before count as long as they are under way', async () => {
      await follow([]);
      await identify(...addresses(4));
      await follow([], { ...AS, ca: 'another CA' });
      await identify(STRANGER);
      expect(fake.asked).toHaveLength(4);
      await fake.end(at('10.0.0.0'), OK);
      expect(fake.asked.slice(4)).toMatchObject([{ address: STRANGER.address.text, ca: 'another CA' }]);
    });

    test('256 are remembered: who was given longest ago goes', async () => {
      const many = addresses(256);
      answer(OK, ...many, STRANGER);
      await follow([]);
      await identify(...many);
      await identify(...many.slice(0, 1));
      await identify(STRANGER);
      expect(prober.identities).toHaveLength(256);
      expect(identities()).toContain('10.0.0.0 cluster');
      expect(identities()).toContain(`${STRANGER.address.text} cluster`);
      expect(identities()).not.toContain('10.0.0.1 cluster');
    });

    test('256 are remembered or waiting: who waits longest goes, and what comes for it belongs to nobody', async () => {
      await follow([]);
      await identify(STRANGER, ...addresses(255));
      await identify(A);
      await fake.end(STRANGER, OK);
      expect(identities()).toEqual([]);
      answer(OK, ...addresses(256), A);
      for (const target of addresses(4)) await fake.end(target, OK);
      await prober.identified();
      expect(prober.identities).toHaveLength(256);
    });

    test('more than that, given again and again, are not asked again and again', async () => {
      const many = addresses(300);
      answer(OK, ...many);
      await follow([]);
      for (let look = 0; look < 5; look += 1) await identify(...many);
      expect(fake.asked).toHaveLength(256);
    });
  });

  describe('telling of changes', () => {
    test('a result appears, changes, stays, is another failure, succeeds again', async () => {
      answer(OK, A);
      await follow([A]);
      const seen = [changes];
      await pass(2_000);
      for (const result of [OK, NO_TCP, NO_TCP, NO_TLS, OK]) {
        answer(result, A);
        await pass(MINUTE_MS);
        seen.push(changes);
      }
      expect(seen).toEqual([1, 1, 2, 2, 3, 4]);
    });

    test('the result is there when it is told', async () => {
      const told: unknown[] = [];
      const teller = new Prober({
        handshake: fake.shake,
        clock,
        random: () => 0.5,
        intervalMs: MINUTE_MS,
        onChange: () => told.push([teller.probes.length, teller.identities.length]),
      });
      answer(OK, A, STRANGER);
      teller.follow([A], AS);
      await pass(0);
      teller.identify([STRANGER]);
      await pass(0);
      teller.stop();
      expect(told).toEqual([
        [1, 0],
        [1, 1],
      ]);
    });

    test('every stranger that has answered, or not, is told of', async () => {
      answer(OTHER, STRANGER);
      answer(NO_TCP, B);
      await follow([]);
      await identify(STRANGER, B);
      expect(changes).toBe(2);
    });
  });

  describe('a round', () => {
    test('ends with a result of every target that began after it, and of every stranger', async () => {
      await follow([A, B]);
      await identify(STRANGER);
      const isDone = isSettled(prober.round());
      await fake.end(A, OK);
      await fake.end(B, OK);
      expect([prober.probes, isDone()]).toEqual([[], false]);
      await fake.end(A, OK);
      await fake.end(B, NO_TLS);
      await fake.end(STRANGER, OK);
      expect(isDone()).toBe(false);
      await pass(1_000);
      await fake.end(B, NO_TLS);
      expect(isDone()).toBe(true);
      expect(outcomes()).toEqual([`${A.address.text} null`, `${B.address.text} tls`]);
    });

    test('does not end with a result from before', async () => {
      await follow([A]);
      await fake.end(A, OK);
      const isDone = isSettled(prober.round());
      await pass(0);
      expect(isDone()).toBe(false);
      await fake.end(A, OK);
      expect(isDone()).toBe(true);
    });

    test('waits for strangers where all targets are done', async () => {
      answer(OK, A);
      await follow([A]);
      await identify(STRANGER);
      const [isDone, isIdentified] = [isSettled(prober.round()), isSettled(prober.identified())];
      await pass(0);
      expect([isDone(), isIdentified()]).toEqual([false, false]);
      await fake.end(STRANGER, NO_TCP);
      expect([isDone(), isIdentified()]).toEqual([true, true]);
    });

    test('asks without waiting for the interval, which counts from there', async () => {
      answer(OK, A);
      await follow([A]);
      await pass(MINUTE_MS / 2);
      await prober.round();
      expect(fake.asked).toHaveLength(2);
      await pass(MINUTE_MS - 1);
      expect(fake.asked).toHaveLength(2);
      await pass(1);
      expect(fake.asked).toHaveLength(3);
    });

    test('does not wait for a target that goes, and does for one that comes', async () => {
      answer(OK, A);
      await follow([A, B]);
      const isDone = isSettled(prober.round());
      await follow([A, STRANGER]);
      expect(isDone()).toBe(false);
      await fake.end(STRANGER, OK);
      expect(isDone()).toBe(true);
    });

    test('is over when nothing can be asked any more', async () => {
      await follow([A]);
      const isDone = isSettled(prober.round());
      await follow([A], { missing: 'gone' });
      expect(isDone()).toBe(true);
    });

    test('does not wait for the next result of a target that comes back', async () => {
      await follow([A, B]);
      await follow([B]);
      const isDone = isSettled(prober.round());
      await follow([A, B]);
      await fake.end(B, OK);
      await fake.end(B, OK);
      expect(isDone()).toBe(false);
      await fake.end(A, OK);
      expect(isDone()).toBe(true);
    });

    test('two at once both end', async () => {
      await follow([A]);
      const [first, second] = [isSettled(prober.round()), isSettled(prober.round())];
      await fake.end(A, OK);
      await fake.end(A, OK);
      expect([first(), second()]).toEqual([false, false]);
      await fake.end(A, OK);
      expect([first(), second()]).toEqual([true, true]);
    });
  });

  describe('stopped', () => {
    test('it asks no more, and keeps what it knows', async () => {
      answer(OK, A, STRANGER);
      await follow([A]);
      await identify(STRANGER);
      prober.stop();
      expect(vi.getTimerCount()).toBe(0);
      await follow([A, B]);
      await identify(B);
      await prober.round();
      await pass(HOUR_MS / 2);
      expect(fake.asked).toHaveLength(2);
      expect(outcomes()).toEqual([`${A.address.text} null`]);
      expect(identities()).toEqual([`${STRANGER.address.text} cluster`]);
    });

    test('it takes no more answers, asks none of those who wait, and nobody waits for it', async () => {
      await follow([A]);
      await identify(...addresses(5));
      const dones = [isSettled(prober.round()), isSettled(prober.identified())];
      prober.stop();
      await pass(0);
      expect(dones.map((isDone) => isDone())).toEqual([true, true]);
      await fake.end(A, OK);
      await fake.end(A, NO_TCP);
      await fake.end(at('10.0.0.0'), OK);
      await pass(HOUR_MS);
      expect([prober.probes, prober.identities, prober.stage, changes]).toEqual([[], [], null, 0]);
      expect(fake.asked).toHaveLength(6);
    });

    test('it leaves no timer of those that were targets, or that wait to be asked', async () => {
      answer(NO_TCP, A);
      await follow([A]);
      for (const first of [0, 16, 32, 48]) await follow(addresses(64).slice(first, first + 16));
      expect(fake.asked).toHaveLength(64);
      expect(vi.getTimerCount()).toBe(2);
      prober.stop();
      expect(vi.getTimerCount()).toBe(0);
    });

    test('before the second attempt: there is none', async () => {
      answer(NO_TCP, A);
      await follow([A]);
      const isDone = isSettled(prober.round());
      await pass(500);
      prober.stop();
      await pass(HOUR_MS);
      expect([isDone(), fake.asked.length, prober.probes]).toEqual([true, 2, []]);
    });
  });
});

describe('with real handshakes', () => {
  /** A server without TLS that accepts and is silent. */
  async function startSilentServer(): Promise<number> {
    const open = new Set<Socket>();
    const server = createServer((socket) => open.add(socket.on('error', () => undefined).resume()));
    onTestFinished(() => {
      for (const socket of open) socket.destroy();
    });
    return listening(server);
  }

  async function listening(server: Server): Promise<number> {
    onTestFinished(() => {
      server.close();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return portOf(server);
  }

  /** A port that refuses. */
  async function unusedPort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = portOf(server);
    server.close();
    await once(server, 'close');
    return port;
  }

  test('good, of another authority, of another name, silent, refused: targets and strangers', async () => {
    const [good, good6, other, misnamed] = await Promise.all([
      startWebServer(answering(200), { certificate: 'server' }),
      startWebServer(answering(200), { certificate: 'server', host: '::1' }),
      startWebServer(answering(200), { certificate: 'other' }),
      startWebServer(answering(200), { certificate: 'misnamed' }),
    ]);
    const silentPort = await startSilentServer();
    const targets = [
      at('127.0.0.1', good.port),
      at('::1', good6.port),
      at('127.0.0.1', other.port),
      at('127.0.0.1', misnamed.port),
      at('127.0.0.1', silentPort),
      at('127.0.0.1', await unusedPort()),
    ];
    const parts = {
      // Nobody needs to wait for the one who is silent.
      handshake: (target: HandshakeTarget) =>
        handshake(target.port === silentPort ? { ...target, deadlineMs: 100 } : target),
      clock,
      random: Math.random,
      intervalMs: MINUTE_MS,
      onChange: () => undefined,
    };
    const as = { hostname: NAME, ca: tlsFixture('ca.crt') };
    const probing = new Prober(parts);
    const identifying = new Prober(parts);
    onTestFinished(() => {
      probing.stop();
      identifying.stop();
    });
    probing.follow(targets, as);
    identifying.follow([], as);
    identifying.identify(targets);
    await Promise.all([probing.round(), identifying.identified()]);
    const ports = targets.map(({ port }) => port);
    expect(probing.probes.map(({ port }) => port)).toEqual(ports);
    expect(probing.probes.map(({ failedStage }) => failedStage)).toEqual([
      null,
      null,
      'identity',
      'identity',
      'tls',
      'tcp',
    ]);
    const identities = new Map(identifying.identities.map(({ port, identity }) => [port, identity]));
    expect(ports.map((port) => identities.get(port))).toEqual([
      'cluster',
      'cluster',
      'other',
      'no-answer',
      'no-answer',
      'no-answer',
    ]);
    expect([good, good6, other, misnamed].flatMap(({ requests }) => requests)).toEqual([]);
  });
});
