import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Keys } from '../../src/credentials/CREDENTIALS.ts';
import { renewedCredentials, type Session } from '../../src/credentials/renewed.ts';
import { type VirtualClock, virtualClock } from './virtual-clock.ts';

/** Where keys are given out by number, and every asking is written down. */
interface Source {
  readonly acquire: () => Promise<Session>;
  readonly askedAt: number[];
  /** While set, askings wait for it. */
  gate: Promise<void> | undefined;
  failing: boolean;
}

function source(clock: VirtualClock, lifetimeMilliseconds: number): Source {
  const made: Source = {
    askedAt: [],
    gate: undefined,
    failing: false,
    acquire: async () => {
      made.askedAt.push(clock.now());
      const number = made.askedAt.length;
      await made.gate;
      if (made.failing) throw new Error(`failure ${number}`);
      const expiresAtMilliseconds = clock.now() + lifetimeMilliseconds;
      return { keys: { accessKeyId: `key-${number}`, secretAccessKey: 'secret', expiresAtMilliseconds }, lifetimeMilliseconds };
    },
  };
  return made;
}

const hour = 3_600_000;
/** How long keys of an hour are too new to be given up. */
const fresh = 30_000;
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('credentials: renewed ahead of their end', () => {
  test('nothing is asked for before keys are, and then once for all', async () => {
    const clock = virtualClock();
    const from = source(clock, hour);
    const credentials = renewedCredentials(from.acquire, clock);
    await settled();
    assert.equal(from.askedAt.length, 0);
    const all = await Promise.all(Array.from({ length: 100 }, () => credentials.keys()));
    assert.equal(new Set(all).size, 1);
    assert.equal(from.askedAt.length, 1);
    clock.advance(0.79 * hour);
    assert.equal(await credentials.keys(), all[0]);
    assert.equal(from.askedAt.length, 1);
  });

  test('with a fifth of their life left the old ones are given while new ones are fetched', async () => {
    const clock = virtualClock();
    const from = source(clock, hour);
    const credentials = renewedCredentials(from.acquire, clock);
    const first = await credentials.keys();
    const { promise, resolve } = Promise.withResolvers<void>();
    from.gate = promise;
    clock.advance(0.8 * hour);
    for (let asked = 0; asked < 10; asked += 1) assert.equal(await credentials.keys(), first);
    assert.equal(from.askedAt.length, 2, 'one renewal at a time');
    resolve();
    await settled();
    assert.equal((await credentials.keys()).accessKeyId, 'key-2');
    assert.equal(from.askedAt.length, 2);
  });

  test('of a short life they are renewed a minute ahead, of a very short one in the middle', async () => {
    for (const [life, quiet] of [
      [200_000, 139_000],
      [60_000, 29_000],
      [3000, 1400],
    ] as const) {
      const clock = virtualClock();
      const from = source(clock, life);
      const credentials = renewedCredentials(from.acquire, clock);
      await credentials.keys();
      clock.advance(quiet);
      await credentials.keys();
      await settled();
      assert.equal(from.askedAt.length, 1, `${life}: too early`);
      clock.advance(1100);
      await credentials.keys();
      await settled();
      assert.equal(from.askedAt.length, 2, `${life}: too late`);
    }
  });

  test('in the last ten seconds the new ones are waited for, and the old ones given only where there are none', async () => {
    const clock = virtualClock();
    const from = source(clock, hour);
    const credentials = renewedCredentials(from.acquire, clock);
    const first = await credentials.keys();
    from.failing = true;
    clock.advance(hour - 9000);
    assert.equal(await credentials.keys(), first);
    assert.equal(from.askedAt.length, 2, 'waited for the renewal');
    clock.advance(2000);
    from.failing = false;
    assert.equal((await credentials.keys()).accessKeyId, 'key-3');
  });

  test('the old ones are not given where they were refused while the new ones were waited for in vain', async () => {
    const clock = virtualClock();
    const from = source(clock, hour);
    const credentials = renewedCredentials(from.acquire, clock);
    const first = await credentials.keys();
    const { promise, resolve } = Promise.withResolvers<void>();
    from.gate = promise;
    from.failing = true;
    clock.advance(hour - 9000);
    const waiting = credentials.keys();
    credentials.refused(first);
    resolve();
    await assert.rejects(waiting, /failure 2/);
  });

  test('after their end a failure is the answer, at once within a second of the last one', async () => {
    const clock = virtualClock();
    const from = source(clock, hour);
    const credentials = renewedCredentials(from.acquire, clock);
    await credentials.keys();
    from.failing = true;
    clock.advance(hour);
    await assert.rejects(credentials.keys(), /failure 2/);
    clock.advance(999);
    await assert.rejects(credentials.keys(), /failure 2/);
    clock.advance(1);
    await assert.rejects(credentials.keys(), /failure 3/);
    from.failing = false;
    clock.advance(1000);
    assert.equal((await credentials.keys()).accessKeyId, 'key-4');
  });

  test('a renewal that fails is tried again ever more rarely, and nobody notices', async () => {
    const clock = virtualClock();
    const from = source(clock, hour);
    const credentials = renewedCredentials(from.acquire, clock);
    const first = await credentials.keys();
    from.failing = true;
    clock.advance(0.8 * hour);
    for (let second = 0; second < 300; second += 1) {
      assert.equal(await credentials.keys(), first);
      await settled();
      clock.advance(1000);
    }
    const [, start = 0, ...later] = from.askedAt;
    assert.deepEqual(
      later.map((at) => (at - start) / 1000),
      [1, 3, 7, 15, 31, 63, 123, 183, 243],
    );
  });

  test('refused ones are not given again, and others are fetched once a second at most', async () => {
    const clock = virtualClock();
    const from = source(clock, hour);
    const credentials = renewedCredentials(from.acquire, clock);
    for (let round = 0; round < 5; round += 1) {
      const given = await Promise.all(Array.from({ length: 10 }, () => credentials.keys()));
      assert.equal(given[0]?.accessKeyId, `key-${round + 1}`);
      clock.advance(fresh);
      for (const keys of given) credentials.refused(keys);
    }
    const pauses = from.askedAt.slice(1).map((at, index) => at - from.askedAt[index]!);
    assert.ok(
      pauses.every((pause) => pause >= 1000),
      `${pauses}`,
    );
  });

  test('a refusal of keys that are not the current ones, or are only equal to them, is ignored', async () => {
    const clock = virtualClock();
    const credentials = renewedCredentials(source(clock, hour).acquire, clock);
    const first = await credentials.keys();
    clock.advance(fresh);
    credentials.refused({ ...first });
    assert.equal(await credentials.keys(), first);
    credentials.refused(first);
    const second = await credentials.keys();
    credentials.refused(first);
    assert.equal(await credentials.keys(), second);
  });

  test('refused ones are not given again even when no others can be had', async () => {
    const clock = virtualClock();
    const from = source(clock, hour);
    const credentials = renewedCredentials(from.acquire, clock);
    const first = await credentials.keys();
    clock.advance(fresh);
    credentials.refused(first);
    from.failing = true;
    await assert.rejects(credentials.keys(), /failure 2/);
    clock.advance(hour);
    from.failing = false;
    assert.equal((await credentials.keys()).accessKeyId, 'key-3');
  });

  test('what a policy denies costs an exchange now and then, and nobody else waits for it', async () => {
    for (const [life, pause] of [
      [hour, 30_000],
      [60_000, 6000],
    ] as const) {
      const clock = virtualClock();
      const from = source(clock, life);
      const credentials = renewedCredentials(from.acquire, clock);
      for (let tenth = 0; tenth < 10 * (pause / 1000) * 3; tenth += 1) {
        credentials.refused(await credentials.keys());
        clock.advance(100);
      }
      assert.ok(from.askedAt.length <= 4, `${from.askedAt.length} exchanges`);
      assert.ok(from.askedAt.length >= 3, 'and they are given up in the end');
    }
  });

  test('a clock that is set back stops nothing', async () => {
    const clock = virtualClock();
    const from = source(clock, hour);
    const credentials = renewedCredentials(from.acquire, clock);
    const first = await credentials.keys();
    clock.advance(fresh);
    credentials.refused(first);
    clock.advance(-24 * hour);
    const before = clock.now();
    const second = await credentials.keys();
    assert.equal(second.accessKeyId, 'key-2');
    assert.ok(clock.now() - before <= 1000);
    clock.advance(-24 * hour);
    credentials.refused(second);
    assert.equal((await credentials.keys()).accessKeyId, 'key-3');
  });

  test('whatever happens, ended keys are never given, nor the source asked twice in a second', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('ask' as const), refuse: fc.boolean() }),
      fc.record({ kind: fc.constant('pass' as const), milliseconds: fc.integer({ min: 0, max: 200_000 }) }),
      fc.record({ kind: fc.constant('source' as const), failing: fc.boolean() }),
    );
    const lives = fc.oneof(fc.constant(3000), fc.constant(60_000), fc.constant(900_000), fc.constant(hour));
    await fc.assert(
      fc.asyncProperty(lives, fc.array(step, { maxLength: 60 }), async (life, steps) => {
        const clock = virtualClock();
        const from = source(clock, life);
        const credentials = renewedCredentials(from.acquire, clock);
        const refused = new Set<Keys>();
        for (const each of steps) {
          if (each.kind === 'pass') clock.advance(each.milliseconds);
          if (each.kind === 'source') from.failing = each.failing;
          if (each.kind !== 'ask') continue;
          const keys = await credentials.keys().catch(() => undefined);
          await settled();
          const justAsked = clock.now() - from.askedAt.at(-1)! < 1000;
          if (keys === undefined) assert.ok(from.failing || justAsked, 'keys can be had');
          // A renewal behind may have waited a second, which here has passed for everybody.
          else assert.ok(keys.expiresAtMilliseconds! > clock.now() - 1000 && !refused.has(keys));
          if (keys !== undefined && each.refuse) {
            credentials.refused(keys);
            // Those that were acquired this moment stay.
            if (keys.expiresAtMilliseconds! - life + Math.min(fresh, life / 10) <= clock.now()) refused.add(keys);
          }
        }
        for (const [index, at] of from.askedAt.entries()) assert.ok(index === 0 || at - from.askedAt[index - 1]! >= 1000);
      }),
      { numRuns: 300 },
    );
  });
});
