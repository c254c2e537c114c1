import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProducerPattern } from '../../src/kernel/access.ts';
import { openBounded } from './bounded.ts';

test('a reader sees its producers only, in whole pages, and their quotas', async () => {
  await using store = await openBounded();
  const names = Array.from({ length: 60 }, (_, index) => `p${String(index).padStart(2, '0')}`);
  for (const name of names) await store.create(name);
  store.bound('p07', { maximum_bytes: 10 });
  store.bound('p17', { maximum_packages: 20 });
  const as = (...producers: ProducerPattern[]) => store.as({ actor: 'x', share: 'x', grants: [{ role: 'reader', producers }] });
  const { items, next_cursor } = await as({ glob: 'p?7' }, { exact: 'p59' }, { exact: 'none' }).producers.list({ limit: 4 });
  assert.deepEqual(
    items.map(({ producer, packages, maximum_bytes, maximum_packages }) => [producer, packages, maximum_bytes, maximum_packages]),
    [
      ['p07', 1, 10, null],
      ['p17', 1, null, 20],
      ['p27', 1, null, null],
      ['p37', 1, null, null],
    ],
  );
  const rest = await as({ glob: 'p?7' }, { exact: 'p59' }).producers.list({ limit: 4, cursor: next_cursor! });
  assert.deepEqual([rest.items.map(({ producer }) => producer), rest.next_cursor], [['p47', 'p57', 'p59'], null]);
  assert.deepEqual(await as({ exact: 'none' }).producers.list(), { items: [], next_cursor: null });
});
