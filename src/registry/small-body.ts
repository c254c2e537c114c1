/** Bodies up to this size are taken whole into memory, so that the next one can be read while they become durable. */
export const smallBytes = 262_144;

/** A body, or what is left of it. */
export interface Small {
  readonly body: AsyncIterable<Uint8Array>;
  /** All of it, where it is short and was read, each in memory of its own. */
  readonly chunks?: readonly Uint8Array<ArrayBuffer>[];
}

/** The body, taken into memory when it is small; otherwise what was read already followed by the rest. */
export async function readSmall(body: AsyncIterable<Uint8Array>): Promise<Small> {
  const iterator = body[Symbol.asyncIterator]();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  while (size <= smallBytes) {
    const next = await iterator.next();
    if (next.done === true) return { chunks, body: iterate(chunks) };
    // A source may reuse its buffer for the next chunk.
    chunks.push(new Uint8Array(next.value));
    size += next.value.length;
  }
  return { body: iterate(chunks, iterator) };
}

/** In memory of its own, which can be given away. */
export function joined(chunks: readonly Uint8Array<ArrayBuffer>[], size: number): Uint8Array<ArrayBuffer> {
  const [first] = chunks;
  if (chunks.length === 1 && first !== undefined) return first;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

export async function* iterate(chunks: readonly Uint8Array[], rest?: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  yield* chunks;
  if (rest === undefined) return;
  try {
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
