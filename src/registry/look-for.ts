import type { Looked } from './operations/page.ts';

interface Page<T> {
  readonly items: readonly T[];
  /** The position that the next page continues from; null when this is the last. */
  readonly next: number | null;
}

/**
 * Reads until there is something to show, or nothing more to look at. A page of a narrow scope may have less than its
 * limit, but never nothing while there is more.
 */
export async function lookFor<T>(
  start: number | null,
  read: (position: number | null) => Promise<Looked<{ readonly sequence: number; readonly record: T }>>,
): Promise<Page<T>> {
  let position = start;
  for (;;) {
    const { items, more, reached } = await read(position);
    if (items.length === 0 && reached !== null) position = reached;
    else return { items: items.map(({ record }) => record), next: more ? items.at(-1)!.sequence : reached };
  }
}
