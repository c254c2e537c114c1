import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodedPage, encodeItems, encodePage } from '../../../src/kernel/format/encoded-page.ts';

test('a page as JSON is the page', () => {
  for (const page of [
    { items: [], next_cursor: null },
    { items: [{ a: 'x"\u2028' }, { b: [1, null] }], next_cursor: 'c"d' },
  ]) {
    const made = encodePage(page);
    assert.deepEqual(JSON.parse(Buffer.from(made.json).toString()), page);
    assert.deepEqual([made.item_count, made.next_cursor], [page.items.length, page.next_cursor]);
  }
});

test('a page of several stretches is one list, whichever of them are empty', () => {
  const stretches = [[], ['{"a":"ä "}', '2'], [], ['[3]'], []].map((items) => encodeItems(items));
  const { json } = encodedPage({ stretches, item_count: 3, next_cursor: null });
  assert.deepEqual(JSON.parse(Buffer.from(json).toString()), { items: [{ a: 'ä ' }, 2, [3]], next_cursor: null });
});
