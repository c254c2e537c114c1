import { type EncodedPage, encodedPage } from '../kernel/format/encoded-page.ts';
import { giveBack } from '../runtime/give-back.ts';

/** A page of encoded items that were moved from where they were read: their memory is given back. */
export function pageOfMoved({
  found,
  item_count,
  next_cursor,
}: {
  readonly found: readonly { readonly moved: readonly [Uint8Array] }[];
  readonly item_count: number;
  readonly next_cursor: string | null;
}): EncodedPage {
  const stretches = found.map(({ moved: [stretch] }) => stretch);
  const page = encodedPage({ stretches, item_count, next_cursor });
  for (const stretch of stretches) giveBack(stretch);
  return page;
}
