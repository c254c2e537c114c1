/**
 * A bounded stock of block-sized buffers, reused, in shared memory where a hashing thread sees them too. Whoever finds
 * it empty continues with a small buffer of its own instead of waiting: a slow client that sits on a buffer then slows
 * nobody down to a stop, and no two streams can wait for each other.
 */
export interface Buffers {
  /**
   * A buffer, or undefined when all are in use, or when a stream that has `held` of them does without more for the
   * others: two are enough where the work of other streams fills the time of a stream that waits.
   */
  take(held?: number): Buffer | undefined;
  give(buffer: Buffer): void;
}

export function bufferStock(count: number, bytes: number): Buffers {
  const idle: Buffer[] = [];
  let made = 0;
  return {
    take(held = 0) {
      if (held >= enough && made - idle.length >= busy) return undefined;
      const buffer = idle.pop();
      if (buffer !== undefined) return buffer;
      if (made >= count) return undefined;
      made += 1;
      return Buffer.from(new SharedArrayBuffer(bytes));
    },
    give(buffer) {
      idle.push(buffer);
    },
  };
}

/** One fills while the other is worked on. */
const enough = 2;
/** So many in use keep all threads at work. */
const busy = 6;
