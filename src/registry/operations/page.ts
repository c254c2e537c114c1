import { limits } from '../limits.ts';

export const maximumPageBytes: number = limits.pageBytes;

/** What a record has beside its text of any length: ids, digests, times, locations. */
const restBytes = 1_024;

export interface Stretch<T> {
  readonly items: readonly T[];
  /** Whether there are others after these. */
  readonly more: boolean;
}

/**
 * Of a list that goes through what its reader may not see: one read looks at a bounded part of it. With no `more` in
 * what was looked at, the list continues after `reached`; null when that was all. `bytes` are those of the page so far.
 */
export interface Looked<P = number> {
  readonly item_count: number;
  /** The position of the last item, mostly its sequence; null where there is none. */
  readonly last: P | null;
  /** Whether there are others after these. */
  readonly more: boolean;
  readonly reached: P | null;
  readonly bytes: number;
}

export interface LookedAt<T, P = number> extends Looked<P> {
  readonly items: readonly T[];
}

/** The items as JSON (`encodeItems`). */
export interface LookedEncoded extends Looked {
  readonly moved: readonly [Uint8Array];
}

/**
 * How many of a list's rows make a page, by the sizes of one more than `limit` of them: rows that would be cut
 * afterwards are never loaded, since a thousand of them may have gigabytes. A page that was begun has so many bytes
 * already.
 */
export function fitting(
  sizes: readonly { readonly size: number }[],
  limit: number,
  begun = 0,
): { readonly count: number; readonly more: boolean; readonly bytes: number } {
  let bytes = begun;
  let count = 0;
  for (const { size } of sizes.slice(0, limit)) {
    const longer = bytes + Number(size) + restBytes;
    if (bytes > 0 && longer > maximumPageBytes) break;
    bytes = longer;
    count += 1;
  }
  return { count, more: sizes.length > count, bytes };
}
