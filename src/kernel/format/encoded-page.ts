/** A page of a list as JSON in UTF-8: `{"items": [...], "next_cursor": ...}`. */
export interface EncodedPage {
  readonly json: Uint8Array;
  readonly item_count: number;
  readonly next_cursor: string | null;
}

/** Records that are JSON already, in UTF-8 and with commas between them. */
export function encodeItems(texts: readonly string[]): Uint8Array {
  // Encoded one by one: a text of all would be as long again, and twice that while it is made.
  const commas = Math.max(0, texts.length - 1);
  const bytes = Buffer.allocUnsafeSlow(texts.reduce((sum, text) => sum + Buffer.byteLength(text), commas));
  let length = 0;
  for (const [index, text] of texts.entries()) {
    if (index > 0) length += bytes.write(',', length);
    length += bytes.write(text, length);
  }
  return bytes;
}

/** A page of stretches of encoded items, one after the other. */
export function encodedPage({
  stretches,
  item_count,
  next_cursor,
}: {
  readonly stretches: readonly Uint8Array[];
  readonly item_count: number;
  readonly next_cursor: string | null;
}): EncodedPage {
  const comma = Buffer.from(',');
  const items = stretches.filter(({ length }) => length > 0).flatMap((stretch, index) => (index === 0 ? [stretch] : [comma, stretch]));
  const json = Buffer.concat([Buffer.from('{"items":['), ...items, Buffer.from(`],"next_cursor":${JSON.stringify(next_cursor)}}`)]);
  return { json, item_count, next_cursor };
}

/** Of records that are not JSON yet. */
export function encodePage({
  items,
  next_cursor,
}: {
  readonly items: readonly object[];
  readonly next_cursor: string | null;
}): EncodedPage {
  const stretches = [encodeItems(items.map((item) => JSON.stringify(item)))];
  return encodedPage({ stretches, item_count: items.length, next_cursor });
}
