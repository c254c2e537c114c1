import type { Looked } from './operations/page.ts';

/** Of one read: how many it is for, from where, and the bytes that the page has. */
interface Begun {
  readonly limit: number;
  readonly position: number | null;
  readonly bytes: number;
}

interface Page<T> {
  readonly items: readonly T[];
  /** The position that the next page continues from; null when this is the last. */
  readonly next: number | null;
}

/**
 * Fills a page by reads that each look at a bounded part of what there is: how much of it nobody may see shows neither
 * in the length of the page nor in whether there is another.
 */
export async function lookFor<T>(
  limit: number,
  start: number | null,
  read: (begun: Begun) => Promise<Looked<{ readonly sequence: number; readonly record: T }>>,
): Promise<Page<T>> {
  const items: { readonly sequence: number; readonly record: T }[] = [];
  let position = start;
  let bytes = 0;
  for (;;) {
    const found = await read({ limit: limit - items.length, position, bytes });
    items.push(...found.items);
    if (found.more || found.reached === null)
      return { items: items.map(({ record }) => record), next: found.more ? items.at(-1)!.sequence : null };
    position = found.reached;
    bytes = found.bytes;
  }
}
