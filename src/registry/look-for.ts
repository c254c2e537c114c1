import type { Looked } from './operations/page.ts';

/** Of one read: how many it is for, from where, and the bytes that the page has. */
interface Begun<P> {
  readonly limit: number;
  readonly position: P | null;
  readonly bytes: number;
}

interface Found<F, P> {
  /** What each read found. */
  readonly found: readonly F[];
  readonly item_count: number;
  /** The position that the next page continues from; null when this is the last. */
  readonly next: P | null;
}

/**
 * Fills a page by reads that each look at a bounded part of what there is: how much of it nobody may see shows neither
 * in the length of the page nor in whether there is another.
 */
export async function lookFor<F extends Looked<P>, P = number>(
  limit: number,
  start: P | null,
  read: (begun: Begun<P>) => Promise<F>,
): Promise<Found<F, P>> {
  const found: F[] = [];
  let item_count = 0;
  let last: P | null = null;
  let position = start;
  let bytes = 0;
  for (;;) {
    const looked = await read({ limit: limit - item_count, position, bytes });
    found.push(looked);
    item_count += looked.item_count;
    last = looked.last ?? last;
    if (looked.more || looked.reached === null) return { found, item_count, next: looked.more ? last : null };
    position = looked.reached;
    bytes = looked.bytes;
  }
}
