import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Database } from '../../../src/database/DATABASE.ts';
import { createLocate } from '../../../src/registry/objects/locate.ts';
import type { LocatedFile } from '../../../src/registry/operations/locate.ts';
import type { RegistryOperations } from '../../../src/registry/operations/operations.ts';

const target = { file_id: 'a' };

test('reads again as soon as anybody has committed, and not before', async () => {
  const store = openCounter();
  const locate = createLocate(store.database);
  const first = await locate(target, store.database);
  assert.equal(await locate(target, store.database), first);
  assert.equal(store.reads(), 1);
  store.commit();
  assert.notEqual(await locate(target, store.database), first);
  assert.equal(store.reads(), 2);
});

test('keeps nothing of a read that a commit may have overtaken', async () => {
  const { promise: gate, resolve: answer } = Promise.withResolvers<void>();
  const store = openCounter({ gate });
  const locate = createLocate(store.database);
  const reading = locate(target, store.database);
  while (store.reads() < 1) await setImmediate();
  store.commit();
  const other = locate({ file_id: 'b' }, store.database);
  while (store.reads() < 2) await setImmediate();
  answer();
  await Promise.all([reading, other]);
  await locate(target, store.database);
  assert.equal(store.reads(), 3);
});

test('looks at the version once for all who ask in one turn, after the last of them has asked', async () => {
  const store = openCounter();
  const locate = createLocate(store.database);
  const first = await locate(target, store.database);
  const looks = store.looks();
  const asked = Array.from({ length: 20 }, () => locate(target, store.database));
  store.commit();
  asked.push(locate(target, store.database));
  assert.ok((await Promise.all(asked)).every((located) => located !== first));
  assert.equal(store.looks(), looks + 1);
});

test('reads each time while the version is not known, and large files always', async () => {
  const unknown = openCounter({ version: undefined });
  const locate = createLocate(unknown.database);
  for (let index = 0; index < 3; index++) await locate(target, unknown.database);
  assert.equal(unknown.reads(), 3);

  const large = openCounter({ sizeBytes: 1_048_577 });
  const locateLarge = createLocate(large.database);
  for (let index = 0; index < 3; index++) await locateLarge(target, large.database);
  assert.equal(large.reads(), 3);
});

/** A database that answers every read with another object and counts them; `gate` holds its answers back. */
function openCounter(options: { readonly version?: undefined; readonly sizeBytes?: number; readonly gate?: Promise<void> } = {}) {
  let version = 1;
  let reads = 0;
  let looks = 0;
  const read = async (): Promise<LocatedFile> => {
    reads += 1;
    await options.gate;
    return { file: { size_bytes: options.sizeBytes ?? 5 } } as LocatedFile;
  };
  const look = () => {
    looks += 1;
    return 'version' in options ? undefined : version;
  };
  const database = { version: look, read } as unknown as Database<RegistryOperations>;
  return {
    database,
    reads: () => reads,
    looks: () => looks,
    commit: () => {
      version += 1;
    },
  };
}
