import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodedPage, encodePage } from '../../../src/kernel/format/encoded-page.ts';

test('a page as JSON is the page, whether its records were JSON before or not', () => {
  for (const page of [
    { items: [], next_cursor: null },
    { items: [{ a: 'x"\u2028' }, { b: [1, null] }], next_cursor: 'c"d' },
  ]) {
    const made = encodePage(page);
    assert.deepEqual(JSON.parse(made.json), page);
    assert.deepEqual([made.item_count, made.next_cursor], [page.items.length, page.next_cursor]);
    assert.deepEqual(encodedPage({ ...page, items: page.items.map((item) => JSON.stringify(item)) }), made);
  }
});
