/**
 * Reads a body in pieces of what it means: just so many bytes, or up to a delimiter. For one reader at a time; memory
 * is bounded by what is asked for.
 */
export interface ByteReader {
  /** Just so many bytes; fewer where the body ends before. */
  take(length: number): Promise<Buffer>;
  /**
   * What comes before the delimiter, which is skipped; undefined when it does not come, or not within `maximum` bytes.
   */
  takeUntil(delimiter: Uint8Array, maximum: number): Promise<Buffer | undefined>;
  /** Just so many bytes as they arrive. Ends early, with false, where the body does. */
  stream(length: number): AsyncGenerator<Uint8Array, boolean, undefined>;
  /**
   * What comes before the delimiter, which is skipped, as it arrives. Ends with false where the delimiter does not
   * come.
   */
  streamUntil(delimiter: Uint8Array): AsyncGenerator<Uint8Array, boolean, undefined>;
  /** Whether nothing more arrives. */
  ended(): boolean;
  /** The rest of the body. */
  rest(): AsyncGenerator<Uint8Array, void, undefined>;
}

export function createByteReader(chunks: AsyncIterator<Uint8Array>): ByteReader {
  let unread: Buffer = Buffer.alloc(0);
  let ended = false;

  /** False when there is no more. */
  async function fill(): Promise<boolean> {
    while (!ended) {
      const next = await chunks.next();
      if (next.done === true) ended = true;
      else if (next.value.length > 0) {
        const chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length);
        unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
        return true;
      }
    }
    return false;
  }

  function cut(length: number): Buffer {
    const piece = unread.subarray(0, length);
    unread = unread.subarray(piece.length);
    return piece;
  }

  return {
    async take(length) {
      const pieces: Buffer[] = [];
      let missing = length;
      while (missing > 0 && (unread.length > 0 || (await fill()))) {
        const piece = cut(missing);
        pieces.push(piece);
        missing -= piece.length;
      }
      return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    },

    async takeUntil(delimiter, maximum) {
      for (;;) {
        const found = unread.indexOf(delimiter);
        if (found > maximum || (found < 0 && unread.length > maximum + delimiter.length)) return undefined;
        if (found >= 0) {
          const piece = cut(found);
          cut(delimiter.length);
          return piece;
        }
        if (!(await fill())) return undefined;
      }
    },

    async *stream(length) {
      let missing = length;
      while (missing > 0) {
        if (unread.length === 0 && !(await fill())) return false;
        const piece = cut(missing);
        missing -= piece.length;
        yield piece;
      }
      return true;
    },

    async *streamUntil(delimiter) {
      for (;;) {
        const found = unread.indexOf(delimiter);
        if (found >= 0) {
          const piece = cut(found);
          cut(delimiter.length);
          if (piece.length > 0) yield piece;
          return true;
        }
        const piece = cut(beforePartOf(unread, delimiter));
        if (piece.length > 0) yield piece;
        if (!(await fill())) return false;
      }
    },

    ended: () => ended,

    async *rest() {
      while (unread.length > 0 || (await fill())) yield cut(unread.length);
    },
  };
}

/** How many bytes come before what may be the delimiter's beginning at the end. */
function beforePartOf(bytes: Buffer, delimiter: Uint8Array): number {
  for (let start = Math.max(0, bytes.length - delimiter.length + 1); start < bytes.length; start++)
    if (bytes.subarray(start).equals(delimiter.subarray(0, bytes.length - start))) return start;
  return bytes.length;
}

/** Reads to the end, for what it answers. */
export async function pass<T>(bytes: AsyncGenerator<Uint8Array, T, undefined>): Promise<T> {
  for (;;) {
    const next = await bytes.next();
    if (next.done === true) return next.value;
  }
}

/**
 * A stretch's bytes, for a taker who may leave early and lets the rest be read by another; `cut` is its error where the
 * body ends before the stretch.
 */
export function untilCut(bytes: AsyncGenerator<Uint8Array, boolean, undefined>, cut: () => Error): AsyncIterator<Uint8Array> {
  return {
    async next() {
      const next = await bytes.next();
      if (next.done !== true) return next;
      if (next.value === false) throw cut();
      return { done: true, value: undefined };
    },
  };
}
