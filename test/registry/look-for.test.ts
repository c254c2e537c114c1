import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookFor } from '../../src/registry/look-for.ts';
import { fitting, maximumPageBytes } from '../../src/registry/operations/page.ts';

interface Row {
  readonly sequence: number;
  readonly record: string;
  readonly size: number;
}

type Found = Awaited<ReturnType<typeof lookFor<string>>>;

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
      return { items: seen.slice(0, count), more, bytes, reached: left.length > 7 ? looked.at(-1)!.sequence : null };
    },
  };
}

function rowsOf(count: number, size: number): readonly Row[] {
  return Array.from({ length: count }, (_, index) => ({ sequence: index + 1, record: `row ${index + 1}`, size }));
}

test('a page is as full as if what is left out were not there, and the last one says so', async () => {
  const { read } = reader(rowsOf(100, 0));
  const sequences: number[] = [];
  const lengths: number[] = [];
  for (let start: number | null = null; ; ) {
    const { items, next }: Found = await lookFor(3, start, read);
    lengths.push(items.length);
    sequences.push(...items.map((item) => Number(item.slice(4))));
    if (next === null) break;
    start = next;
  }
  assert.deepEqual(lengths, [3, 3, 3, 3, 3, 3, 2]);
  assert.deepEqual(
    sequences,
    Array.from({ length: 20 }, (_, index) => (index + 1) * 5),
  );
});

test('where there is nothing to see, no page follows', async () => {
  const { read, reads } = reader(rowsOf(4, 0));
  assert.deepEqual(await lookFor(3, null, read), { items: [], next: null });
  assert.equal(reads(), 1);
});

test('what several reads found is no longer than a page', async () => {
  const { read } = reader(rowsOf(50, maximumPageBytes / 2.5));
  const { items, next } = await lookFor(10, null, read);
  assert.deepEqual([items, next], [['row 5', 'row 10'], 10]);
});
