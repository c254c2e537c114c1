import type { CryptoKey } from 'jose';
import type { KeySet } from './key-set.ts';
import { refused } from './refusal.ts';

/** Keys that are older than this are read again beside the work. */
const readAgainMilliseconds = 300_000;
/** Keys that are older than this are read again first: a key that was withdrawn ends by then. */
const freshMilliseconds = 600_000;
/** But as long as their issuer can't be reached, keys that are not older than this stay in force. */
const keptMilliseconds = 3_600_000;
/** Nobody waits for an issuer that could not be reached so short a time ago. */
const knownAwayMilliseconds = 60_000;
/** After an attempt, the next one because of an unknown key or of a failure comes no sooner. */
const pauseMilliseconds = 30_000;
/** The same where there are no keys in force at all. */
const pauseWithoutKeysMilliseconds = 5_000;

/** The keys of one issuer, read when they are needed, by one request at a time that all share. */
export interface KeySource {
  /** The keys in force, where nothing has to be asked before they are used. The same object while they are the same. */
  inForce(): KeySet | undefined;
  /**
   * The key that signs with the algorithm under this name, and of which set it is. Errors: `unauthorized`,
   * `identity_unavailable`.
   */
  keyFor(algorithm: string, keyId: string | undefined): Promise<FoundKey>;
  /** As of the last attempt. One that failed is made again by the way, so that a later look is not misled. */
  state(): KeyState;
  /** Resolves when nothing is asked for any more. */
  close(): Promise<void>;
}

export interface FoundKey {
  readonly key: CryptoKey;
  readonly keys: KeySet;
}

export interface KeyState {
  readonly keys: number;
  /** Milliseconds since the epoch. */
  readonly readAt: number | undefined;
  readonly failure: string | undefined;
}

/** `read` fails with `identity_unavailable`. `now` answers milliseconds since the epoch. */
export function createKeySource(read: (signal: AbortSignal) => Promise<KeySet>, now: () => number): KeySource {
  const closing = new AbortController();
  let known: { readonly keys: KeySet; readonly readAt: number } | undefined;
  let askedAt: number | undefined;
  let failure: Error | undefined;
  let asking: Promise<void> | undefined;

  /** A clock that was set back makes everything old: better one request more than keys that never end. */
  function since(time: number | undefined): number {
    const elapsed = time === undefined ? -1 : now() - time;
    return elapsed < 0 ? Number.POSITIVE_INFINITY : elapsed;
  }

  function ask(): Promise<void> {
    asking ??= attempt().finally(() => {
      asking = undefined;
    });
    return asking;
  }

  async function attempt(): Promise<void> {
    const begun = now();
    askedAt = begun;
    try {
      const keys = await read(closing.signal);
      known = { keys: known?.keys.fingerprint === keys.fingerprint ? known.keys : keys, readAt: begun };
      failure = undefined;
    } catch (error) {
      failure = error instanceof Error ? error : new Error('the keys could not be read', { cause: error });
    }
  }

  function inForce(): KeySet | undefined {
    if (known === undefined) return undefined;
    const age = since(known.readAt);
    const away = failure !== undefined && since(askedAt) < knownAwayMilliseconds;
    if (age >= (away ? keptMilliseconds : freshMilliseconds)) return undefined;
    if (age >= readAgainMilliseconds && since(askedAt) >= pauseMilliseconds) void ask();
    return known.keys;
  }

  async function current(): Promise<KeySet> {
    const there = inForce();
    if (there !== undefined) return there;
    if (asking === undefined && failure !== undefined && since(askedAt) < pauseWithoutKeysMilliseconds) throw failure;
    await ask();
    const keys = inForce();
    if (keys === undefined) throw failure ?? new Error('keys that were just read are not in force');
    return keys;
  }

  /** The keys as they are after those that were `seen` did not do. */
  async function again(seen: KeySet): Promise<KeySet> {
    if (known?.keys === seen && (asking !== undefined || since(askedAt) >= pauseMilliseconds)) await ask();
    if (failure !== undefined) throw failure;
    return await current();
  }

  return {
    inForce,
    async keyFor(algorithm, keyId) {
      let keys = await current();
      let key = await keys.find(algorithm, keyId);
      if (key === undefined) {
        keys = await again(keys);
        key = await keys.find(algorithm, keyId);
      }
      if (key !== undefined) return { key, keys };
      const why = keyId === undefined ? undefined : keys.unusable(keyId);
      throw refused(
        why === undefined
          ? `its issuer publishes no key of the name ("kid") that it has for ${algorithm}, as of at most ${pauseMilliseconds / 1000} s ago`
          : `the key that signed it ${why}`,
      );
    },
    state() {
      if (failure !== undefined && since(askedAt) >= pauseMilliseconds) void ask();
      return { keys: known?.keys.size ?? 0, readAt: known?.readAt, failure: failure?.message };
    },
    async close() {
      closing.abort();
      await asking;
    },
  };
}
