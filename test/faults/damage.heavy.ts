import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Store } from '../../src/compose/open-store.ts';
import type { File, Registry } from '../../src/registry/REGISTRY.ts';
import { removeFolder } from '../remove-folder.ts';
import { fileOf, newPackage, openRegistryOn, readBytes } from './registry-on.ts';

const mebibyte = 1_048_576;

const damages: readonly { readonly what: string; damage(path: string, size: number): Promise<void> }[] = [
  { what: 'one bit flipped at the start', damage: (path) => flip(path, 0) },
  { what: 'one bit flipped at the end', damage: (path, size) => flip(path, size - 1) },
  { what: 'its last byte cut off', damage: (path, size) => truncate(path, size - 1) },
  { what: 'one byte more', damage: (path, size) => truncate(path, size + 1) },
  { what: 'all of it gone', damage: (path) => rm(path) },
];

describe('a stored object that changed behind our back', () => {
  let directory: string;
  let store: Store;
  let registry: Registry;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'artifactstore-'));
    store = await openRegistryOn({ database: directory, storage: directory });
    registry = store.as('tester');
  });
  after(async () => {
    await store.close();
    await removeFolder(directory);
  });

  const pathOf = (file: File | undefined): string => join(directory, 'storage', file!.locations[0]!.object_key);

  for (const size of [1000, 2 * mebibyte + 5])
    for (const [index, { what, damage }] of damages.entries())
      it(`is never served as good, is told, and is repaired: ${size} bytes with ${what}`, async () => {
        const bytes = Buffer.alloc(size, `${size} ${index} `);
        const [first, second] = [await newPackage(registry), await newPackage(registry)];
        const { record } = await registry.files.add(first, fileOf('a', bytes));
        await registry.files.add(second, fileOf('b', bytes));
        await store.operator.settleHeld();
        const bad = pathOf(record);
        await damage(bad, size);

        const since = (await registry.health()).last_sequence;
        const { delivered, error } = await readBytes(registry, first, 'a');
        assert.equal((error as { code?: string }).code, 'integrity_failure');
        assert.ok(delivered.length < size, 'the whole of a damaged object was delivered');

        const { items } = await registry.events.page({ since });
        assert.equal(items.length, 1);
        assert.equal(items[0]!.event_type, 'v1.storage.location_verified');
        const payload = items[0]!.payload as { result: string; location_ids: readonly string[]; content_address: string };
        assert.equal(payload.result, 'failed');
        assert.equal(payload.content_address, record.content_address);
        assert.equal(payload.location_ids.length, 2);
        const degraded = await registry.health();
        assert.equal(degraded.status, 'degraded');
        assert.equal(degraded.backend.failed_locations, 2);
        assert.equal((await registry.files.find(second, 'b'))!.locations[0]!.state, 'failed');

        // Nobody is sent to it again: not a reader of the other file, not one who attaches bytes that are there
        // already.
        assert.equal(((await readBytes(registry, second, 'b')).error as { code?: string }).code, 'integrity_failure');
        const item = { relative_path: 'c', content_address: record.content_address, size_bytes: size };
        assert.equal((await registry.files.attach(second, [item]))[0]!.result, 'missing');
        assert.equal((await registry.health()).last_sequence, degraded.last_sequence);

        await registry.files.add(second, fileOf('again', bytes));
        await store.operator.settleHeld();
        const repaired = (await registry.events.page({ since: degraded.last_sequence })).items;
        assert.deepEqual(
          repaired.map(({ event_type }) => event_type),
          ['v1.storage.object_repaired', 'v1.file.ingested'],
        );
        assert.equal((await registry.health()).status, 'ok');
        for (const [id, path] of [
          [first, 'a'],
          [second, 'b'],
          [second, 'again'],
        ] as const)
          assert.ok(bytes.equals((await readBytes(registry, id, path)).delivered), `${path} is not good again`);
        const good = pathOf(await registry.files.find(first, 'a'));
        assert.notEqual(good, bad);
        assert.ok(bytes.equals(await readFile(good)));
      });

  it('is found by a range that touches the bad block, and not served; good blocks of it can still be read until then', async () => {
    const bytes = Buffer.alloc(3 * mebibyte, 'block by block ');
    const id = await newPackage(registry);
    const { record } = await registry.files.add(id, fileOf('a', bytes));
    await flip(pathOf(record), 2 * mebibyte + 17);
    const good = { first: 5, last: mebibyte + 5 };
    assert.ok(bytes.subarray(good.first, good.last + 1).equals((await readBytes(registry, id, 'a', good)).delivered));
    const { delivered, error } = await readBytes(registry, id, 'a', { first: 2 * mebibyte - 10, last: 2 * mebibyte + 10 });
    assert.equal((error as { code?: string }).code, 'integrity_failure');
    assert.ok(bytes.subarray(2 * mebibyte - 10, 2 * mebibyte).equals(delivered) || delivered.length === 0);
    assert.equal((await registry.files.find(id, 'a'))!.locations[0]!.state, 'failed');
  });
});

async function flip(path: string, at: number): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    byte[0]! ^= 0x10;
    await handle.write(byte, 0, 1, at);
  } finally {
    await handle.close();
  }
}
