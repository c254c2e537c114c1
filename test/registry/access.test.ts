import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProducerOf } from '../../src/registry/access.ts';
import { accessConformance } from '../../src/registry/conformance/access.ts';
import { openTestRegistry } from './open-registry.ts';

accessConformance('in process', openTestRegistry);

test('of so many packages it is remembered whose they are, and of those that are not there never', async () => {
  let reads = 0;
  const of = createProducerOf()({
    async read(_name, { id }) {
      reads += 1;
      return id === 'missing' ? undefined : `of ${id}`;
    },
  });
  const readsFor = async (id: string): Promise<number> => {
    const before = reads;
    assert.equal(await of(id), id === 'missing' ? undefined : `of ${id}`);
    return reads - before;
  };
  assert.deepEqual([await readsFor('first'), await readsFor('first')], [1, 0]);
  assert.deepEqual([await readsFor('missing'), await readsFor('missing')], [1, 1]);
  for (let number = 0; number < 10_000; number++) await of(`${number}`);
  assert.deepEqual([await readsFor('first'), await readsFor('9999')], [1, 0]);
});
