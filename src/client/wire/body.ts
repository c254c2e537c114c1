import { ofDeclaredLength } from './declared-length.ts';
import type { StreamedBody } from './transport.ts';

/** A body that can be read again from its start, so that an upload which was cut off can be repeated. */
export interface ReopenableBody extends AsyncIterable<Uint8Array> {
  open(): AsyncIterable<Uint8Array>;
}

/** A body that each `open` makes again; iterating it opens it. */
export function reopenable(open: () => AsyncIterable<Uint8Array>): ReopenableBody {
  return { open, [Symbol.asyncIterator]: () => open()[Symbol.asyncIterator]() };
}

/** A body of bytes that are in memory. */
export function bytesBody(bytes: Uint8Array): ReopenableBody {
  return reopenable(async function* () {
    if (bytes.length > 0) yield bytes;
  });
}

/**
 * Makes a body that can be sent again where that is possible: it is by itself, or it is short enough to be kept. A
 * longer one goes out once, in pieces. Of another length than `sizeBytes` it is `length_mismatch`.
 */
export async function sendable(body: AsyncIterable<Uint8Array>, sizeBytes?: number): Promise<Uint8Array | StreamedBody> {
  const size = sizeBytes === undefined ? {} : { sizeBytes };
  if (isReopenable(body)) return { open: () => body.open(), reopenable: true, ...size };
  const iterator = (sizeBytes === undefined ? body : ofDeclaredLength(body, sizeBytes))[Symbol.asyncIterator]();
  const kept: Uint8Array[] = [];
  let length = 0;
  while (length <= keptBytes) {
    const { done, value } = await iterator.next();
    if (done === true) return Buffer.concat(kept);
    // A source may reuse its buffer; `slice` of a Buffer would share it.
    kept.push(new Uint8Array(value));
    length += value.length;
  }
  return { open: () => rest(kept, iterator), reopenable: false, ...size };
}

const keptBytes = 1_048_576;

function isReopenable(body: AsyncIterable<Uint8Array>): body is ReopenableBody {
  return 'open' in body && typeof body.open === 'function';
}

async function* rest(kept: readonly Uint8Array[], iterator: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* kept;
    for (;;) {
      const { done, value } = await iterator.next();
      if (done === true) return;
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}
