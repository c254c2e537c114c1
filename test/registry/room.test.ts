import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { NewFile } from '../../src/registry/REGISTRY.ts';
import { openBounded } from './bounded.ts';

const piece = new Uint8Array(1000);

/** A body of so many pieces, and how many of them were taken. */
function pieces(count: number): { readonly body: AsyncIterable<Uint8Array>; taken(): number; isLeft(): boolean } {
  let taken = 0;
  let left = false;
  async function* body(): AsyncIterable<Uint8Array> {
    try {
      for (; taken < count; taken++) yield piece;
    } finally {
      left = true;
    }
  }
  return { body: body(), taken: () => taken, isLeft: () => left };
}

it('takes no byte of a file that is declared to be longer than what is left', async () => {
  await using store = await openBounded();
  const id = await store.create('near');
  store.bound('near', { maximum_bytes: 9_999 });
  const { body, taken } = pieces(10);
  await assert.rejects(store.registry.files.add(id, { relative_path: 'a', body, size_bytes: 10_000 }), { code: 'quota_exceeded' });
  assert.equal(taken(), 0);
  const [first, second, third] = [pieces(5), pieces(5), pieces(5)];
  async function* files(): AsyncIterable<NewFile> {
    for (const [index, { body }] of [first, second, third].entries()) yield { relative_path: `f${index}`, body, size_bytes: 5_000 };
  }
  await assert.rejects(store.registry.files.addMany(id, files()), { code: 'quota_exceeded' });
  assert.deepEqual([first.taken(), second.taken(), third.taken()], [5, 0, 0], 'all that came before is counted');
});

it('stops taking a file of unknown length as soon as it is too long', async () => {
  await using store = await openBounded();
  const id = await store.create('near');
  store.bound('near', { maximum_bytes: 4_500 });
  const single = pieces(1_000_000);
  await assert.rejects(store.registry.files.add(id, { relative_path: 'a', body: single.body }), { code: 'quota_exceeded' });
  assert.ok(single.taken() <= 5 && single.isLeft(), `${single.taken()}`);
  const [first, second] = [pieces(3), pieces(1_000_000)];
  async function* files(): AsyncIterable<NewFile> {
    for (const [index, { body }] of [first, second].entries()) yield { relative_path: `f${index}`, body };
  }
  await assert.rejects(store.registry.files.addMany(id, files()), { code: 'quota_exceeded' });
  assert.ok(second.taken() <= 2 && second.isLeft(), `${second.taken()}`);
});

it('asks the log about many files once, as long as they fit', async () => {
  await using store = await openBounded();
  let looks = 0;
  const registry = store
    .over({
      quotaOf: () => ({ maximum_bytes: 20_000, maximum_packages: null }),
      database: {
        ...store.database,
        read(name, input) {
          looks += Number(name === 'producer.room');
          return store.database.read(name, input);
        },
      },
    })
    .as({ actor: 'x', share: 'x', grants: [{ role: 'admin', producers: [{ glob: '*' }] }] });
  const id = await store.create('near');
  async function* files(): AsyncIterable<NewFile> {
    for (let index = 0; index < 20; index++) yield { relative_path: `f${index}`, body: pieces(1).body };
  }
  await registry.files.addMany(id, files());
  assert.equal(looks, 1);
  await registry.files.addMany(id, files());
  assert.ok(looks < 25, `${looks}: again, at a full quota`);
});
