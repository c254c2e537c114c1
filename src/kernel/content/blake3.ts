import { Buffer } from 'node:buffer';

export interface Hasher {
  update(bytes: Uint8Array): void;
  /** The digest of all bytes given so far. Ends the hasher. */
  digest(): Uint8Array;
}

/** One way to compute BLAKE3 (256 bits, unkeyed). The two below give the same bytes; only their speed differs. */
export interface Blake3 {
  hash(bytes: Uint8Array): Uint8Array;
  /** The same in lowercase hex. */
  hashHex(bytes: Uint8Array): string;
  createHasher(): Hasher;
}

/** The native binding, or undefined where the platform has no binary for it. */
export async function loadNativeBlake3(): Promise<Blake3 | undefined> {
  const native = await import('@napi-rs/blake-hash').catch(() => undefined);
  if (native === undefined) return undefined;
  // Making a hasher costs ten times as much as hashing an event: one-shot calls share one.
  const shared = new native.Blake3Hasher();
  const over = (bytes: Uint8Array) => {
    shared.reset();
    return shared.update(asBuffer(bytes));
  };
  return {
    hash: (bytes) => digestOf(over(bytes)),
    hashHex: (bytes) => over(bytes).digest('hex'),
    createHasher: () => {
      const hasher = new native.Blake3Hasher();
      return {
        update: (bytes) => {
          hasher.update(asBuffer(bytes));
        },
        digest: () => digestOf(hasher),
      };
    },
  };
}

/** The same memory, as the binding names it. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * WebAssembly, for platforms without a binary. All hashers share one instance, because making one is asynchronous and
 * holds its own memory: the state of whoever used it last is set aside when another hasher takes its turn.
 */
export async function loadWasmBlake3(): Promise<Blake3> {
  const { createBLAKE3 } = await import('hash-wasm');
  const engine = await createBLAKE3();
  interface Turn {
    state: Uint8Array | undefined;
  }
  let holder: Turn | undefined;

  function setAside(): void {
    if (holder !== undefined) holder.state = engine.save();
    holder = undefined;
  }
  function take(turn: Turn): void {
    if (holder === turn) return;
    setAside();
    if (turn.state === undefined) engine.init();
    else engine.load(turn.state);
    turn.state = undefined;
    holder = turn;
  }

  return {
    hash: (bytes) => {
      setAside();
      return engine.init().update(bytes).digest('binary');
    },
    hashHex: (bytes) => {
      setAside();
      return engine.init().update(bytes).digest();
    },
    createHasher: () => {
      const turn: Turn = { state: undefined };
      return {
        update: (bytes) => {
          take(turn);
          engine.update(bytes);
        },
        digest: () => {
          take(turn);
          // The engine forgets its state when it gives the digest.
          turn.state = engine.save();
          holder = undefined;
          return engine.digest('binary');
        },
      };
    },
  };
}

/** By way of hex: a buffer made by native code costs more, with its finalizer, than the digest itself. */
function digestOf(hasher: { digest(format: 'hex'): string }): Uint8Array {
  digest.write(hasher.digest('hex'), 'hex');
  return new Uint8Array(digest);
}

const digest: Buffer = Buffer.allocUnsafeSlow(32);
