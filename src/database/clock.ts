import { randomFillSync } from 'node:crypto';
import { uuidv7 } from '../kernel/id.ts';
import { formatTimestamp, type Timestamp } from '../kernel/time.ts';

/** Where an operation's time and ids come from. */
export interface Clock {
  now(): Timestamp;
  /** A new UUIDv7. */
  newId(): string;
}

const idBytes = 10;
const pool = new Uint8Array(128 * idBytes);
let used = pool.length;

export const systemClock: Clock = {
  now: () => formatTimestamp(Date.now()),
  newId() {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    used += idBytes;
    return uuidv7(Date.now(), pool.subarray(used - idBytes, used));
  },
};
