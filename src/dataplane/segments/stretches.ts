import { blockBytes } from '../DATAPLANE.ts';

/** Every so many bytes or milliseconds what came is made durable and told. */
export interface Pace {
  readonly bytes: number;
  readonly milliseconds: number;
}

export const usualPace: Pace = { bytes: 64 * blockBytes, milliseconds: 10_000 };

/**
 * The source in stretches, each to be read to its end before the next is asked for: as many bytes as the pace says when
 * it begins, or what comes in its time. None is empty.
 */
export async function* stretchesOf(source: AsyncIterable<Uint8Array>, paceNow: () => Pace): AsyncGenerator<AsyncGenerator<Uint8Array>> {
  const chunks = source[Symbol.asyncIterator]();
  let next = await chunks.next();
  async function* stretch(): AsyncGenerator<Uint8Array> {
    const pace = paceNow();
    const since = performance.now();
    for (let bytes = 0; next.done !== true; next = await chunks.next()) {
      if (bytes > 0 && (bytes >= pace.bytes || performance.now() - since >= pace.milliseconds)) return;
      bytes += next.value.byteLength;
      yield next.value;
    }
  }
  try {
    while (next.done !== true) {
      if (next.value.byteLength === 0) next = await chunks.next();
      else yield stretch();
    }
  } finally {
    await chunks.return?.();
  }
}
