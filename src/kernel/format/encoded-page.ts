/** A page of a list as JSON: `{"items": [...], "next_cursor": ...}`. */
export interface EncodedPage {
  readonly json: string;
  readonly item_count: number;
  readonly next_cursor: string | null;
}

/** Of records that are JSON already. */
export function encodedPage({ items, next_cursor }: TextPage): EncodedPage {
  const json = `{"items":[${items.join(',')}],"next_cursor":${JSON.stringify(next_cursor)}}`;
  return { json, item_count: items.length, next_cursor };
}

/** Of records that are not. */
export function encodePage({
  items,
  next_cursor,
}: {
  readonly items: readonly object[];
  readonly next_cursor: string | null;
}): EncodedPage {
  return encodedPage({ items: items.map((item) => JSON.stringify(item)), next_cursor });
}

interface TextPage {
  readonly items: readonly string[];
  readonly next_cursor: string | null;
}
