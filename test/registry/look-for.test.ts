import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookFor } from '../../src/registry/look-for.ts';
import { fitting, maximumPageBytes } from '../../src/registry/operations/page.ts';

interface Row {
  readonly sequence: number;
  readonly size: number;
}

/** Reads that look at seven rows each, and see every fifth of them. */
function reader(rows: readonly Row[]) {
  let reads = 0;
  return {
    reads: () => reads,
    read: async ({
      limit,
      position,
      bytes: begun,
    }: {
      readonly limit: number;
      readonly position: number | null;
      readonly bytes: number;
    }) => {
      reads += 1;
      const left = rows.filter(({ sequence }) => position === null || sequence > position);
      const looked = left.slice(0, 7);
      const seen = looked.filter(({ sequence }) => sequence % 5 === 0).slice(0, limit + 1);
      const { count, more, bytes } = fitting(seen, limit, begun);
      const sequences = seen.slice(0, count).map(({ sequence }) => sequence);
      const reached = left.length > 7 ? looked.at(-1)!.sequence : null;
      return { sequences, item_count: count, last: sequences.at(-1) ?? null, more, bytes, reached };
    },
  };
}

function rowsOf(count: number, size: number): readonly Row[] {
  return Array.from({ length: count }, (_, index) => ({ sequence: index + 1, size }));
}

test('a page is as full as if what is left out were not there, and the last one says so', async () => {
  const { read } = reader(rowsOf(100, 0));
  const pageFrom = (position: number | null) => lookFor(3, position, read);
  const sequences: number[] = [];
  const lengths: number[] = [];
  let start: number | null = null;
  do {
    const page: Awaited<ReturnType<typeof pageFrom>> = await pageFrom(start);
    lengths.push(page.item_count);
    sequences.push(...page.found.flatMap((found) => found.sequences));
    start = page.next;
  } while (start !== null);
  assert.deepEqual(lengths, [3, 3, 3, 3, 3, 3, 2]);
  assert.deepEqual(
    sequences,
    Array.from({ length: 20 }, (_, index) => (index + 1) * 5),
  );
});

test('where there is nothing to see, no page follows', async () => {
  const { read, reads } = reader(rowsOf(4, 0));
  const { item_count, next } = await lookFor(3, null, read);
  assert.deepEqual([item_count, next], [0, null]);
  assert.equal(reads(), 1);
});

test('what several reads found is no longer than a page', async () => {
  const { read } = reader(rowsOf(50, maximumPageBytes / 2.5));
  const { found, item_count, next } = await lookFor(10, null, read);
  assert.deepEqual([found.flatMap(({ sequences }) => sequences), item_count, next], [[5, 10], 2, 10]);
});
