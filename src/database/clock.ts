import { randomFillSync } from 'node:crypto';
import { uuidv7 } from '../kernel/id.ts';
import { formatTimestamp, type Timestamp } from '../kernel/time.ts';

/** Where an operation's time and ids come from. */
export interface Clock {
  now(): Timestamp;
  /**
   * A new UUIDv7. Those of one millisecond are in the order in which they were made, as long as the clock is not set
   * back.
   */
  newId(): string;
}

const idBytes = 10;
const pool = new Uint8Array(128 * idBytes);
let used = pool.length;
let last = 0;
let counter = 0;

export const systemClock: Clock = {
  now: () => formatTimestamp(Date.now()),
  newId() {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    used += idBytes;
    const random = pool.subarray(used - idBytes, used);
    // RFC 9562, section 6.2, method 1: 12 bits that count within a millisecond, from a random number below 2,048.
    const now = Date.now();
    counter = now === last ? counter + 1 : ((random[0]! & 0x07) << 8) | random[1]!;
    last = now;
    random[0] = counter >> 8;
    random[1] = counter & 0xff;
    return uuidv7(now, random);
  },
};
