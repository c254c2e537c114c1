import { formatTimestamp } from '../kernel/time.ts';
import type { Context } from './context.ts';
import { bytesExceeded } from './operations/quota.ts';

/**
 * What a producer's quota leaves, asked while bytes arrive, so that none are taken for nothing. The transaction that
 * adds the files decides.
 */
export interface Room {
  /**
   * The body of a file, to be read. Throws `quota_exceeded` where a file of that size does not fit; without a size, the
   * body ends with it as soon as it is too long. What the package holds at the path already needs no room.
   */
  admit(file: Announced, body: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>>;
}

/** A file as it is announced before its bytes. */
export interface Announced {
  readonly entry: { readonly relative_path: string };
  readonly expected: { readonly sizeBytes?: number };
}

interface Arriving {
  readonly path: string;
  bytes: number;
  /** Whether the package has a file there already, as far as it was asked. */
  there: boolean;
}

/**
 * For the files that one request adds to a package. The log is asked about them when they seem not to fit, not before.
 */
export function createRoom(
  { database, quotaOf, now }: Pick<Context, 'database' | 'quotaOf' | 'now'>,
  { id, producer }: { readonly id: string; readonly producer: string },
): Room {
  const maximum = quotaOf(producer)?.maximum_bytes ?? Number.POSITIVE_INFINITY;
  if (maximum === Number.POSITIVE_INFINITY) return { admit: async (_file, body) => body };
  /** Not known before the first look. */
  let used = Number.POSITIVE_INFINITY;
  let reserved = 0;
  let asked = 0;
  let unknown: Arriving[] = [];

  async function look(): Promise<void> {
    const looked = unknown;
    unknown = [];
    const items = looked.map(({ path }) => path);
    const found = await database.read('producer.room', { producer, package_id: id, items, now: formatTimestamp(now()) });
    const there = new Set(found.there);
    for (const file of looked) {
      file.there = there.has(file.path);
      if (file.there) asked -= file.bytes;
    }
    used = found.used_bytes;
    reserved = found.reserved_bytes;
  }

  async function take(file: Arriving, bytes: number): Promise<void> {
    if (file.there) return;
    file.bytes += bytes;
    asked += bytes;
    if (used + reserved + asked <= maximum) return;
    await look();
    if (used + reserved + asked > maximum && !isThere(file)) throw bytesExceeded(producer, { maximum, used, reserved, asked });
  }

  return {
    async admit({ entry, expected: { sizeBytes } }, body) {
      const file: Arriving = { path: entry.relative_path, bytes: 0, there: false };
      unknown.push(file);
      await take(file, sizeBytes ?? 0);
      return sizeBytes === undefined ? counted(body, (bytes) => take(file, bytes)) : body;
    },
  };
}

function isThere({ there }: Arriving): boolean {
  return there;
}

async function* counted(body: AsyncIterable<Uint8Array>, take: (bytes: number) => Promise<void>): AsyncIterable<Uint8Array> {
  for await (const chunk of body) {
    await take(chunk.length);
    yield chunk;
  }
}
