import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Database } from '../../../src/database/DATABASE.ts';
import { createLocate } from '../../../src/registry/objects/locate.ts';
import type { LocatedFile } from '../../../src/registry/operations/locate.ts';
import type { RegistryOperations } from '../../../src/registry/operations/operations.ts';

const target = { file_id: 'a' };

test('reads again as soon as anybody has committed, and not before', async () => {
  const store = openCounter();
  const locate = createLocate(store.database);
  const first = await locate(target);
  assert.equal(await locate(target), first);
  assert.equal(store.reads(), 1);
  store.commit();
  assert.notEqual(await locate(target), first);
  assert.equal(store.reads(), 2);
});

test('keeps nothing of a read that a commit may have overtaken', async () => {
  const store = openCounter();
  const locate = createLocate(store.database);
  const reading = locate(target);
  store.commit();
  await Promise.all([reading, locate({ file_id: 'b' })]);
  await locate(target);
  assert.equal(store.reads(), 3);
});

test('reads each time while the version is not known, and large files always', async () => {
  const unknown = openCounter({ version: undefined });
  const locate = createLocate(unknown.database);
  for (let index = 0; index < 3; index++) await locate(target);
  assert.equal(unknown.reads(), 3);

  const large = openCounter({ sizeBytes: 1_048_577 });
  const locateLarge = createLocate(large.database);
  for (let index = 0; index < 3; index++) await locateLarge(target);
  assert.equal(large.reads(), 3);
});

/** A database that answers every read with another object and counts them. */
function openCounter(options: { readonly version?: undefined; readonly sizeBytes?: number } = {}) {
  let version = 1;
  let reads = 0;
  const read = async (): Promise<LocatedFile> => {
    reads += 1;
    return { file: { size_bytes: options.sizeBytes ?? 5 } } as LocatedFile;
  };
  const database = { version: () => ('version' in options ? undefined : version), read } as unknown as Database<RegistryOperations>;
  return {
    database,
    reads: () => reads,
    commit: () => {
      version += 1;
    },
  };
}
