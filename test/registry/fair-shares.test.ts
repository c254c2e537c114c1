import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openSqlite } from '../../src/database/sqlite/sqlite.ts';
import { observer } from '../../src/kernel/access.ts';
import type { JsonObject } from '../../src/kernel/format/json.ts';
import { createFairShares, weightOf } from '../../src/registry/fair-shares.ts';
import type { FinalizePackage } from '../../src/registry/operations/finalize.ts';
import type { RegistryOperations } from '../../src/registry/operations/operations.ts';
import { operationsUrl } from '../../src/registry/operations/url.ts';
import { openTestRegistry, type TestRegistry } from './open-registry.ts';

let store: TestRegistry;
before(async () => {
  store = await openTestRegistry();
});
after(() => store.close());

const input = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };

test('one write of somebody is committed among the first of the many that another asked for before', async () => {
  const many = Array.from({ length: 800 }, () => store.as('many').packages.create(input));
  const one = await store.as('one').packages.create(input);
  const done = await Promise.allSettled(many);
  assert.ok(done.every(({ status }) => status === 'fulfilled'));
  const { items } = await store.as('one').events.page({ subject_id: one.record.id, limit: 1 });
  // Two events for each package, of which 512 may be under way.
  assert.ok(items[0]!.sequence < 1_100, `event ${items[0]!.sequence}`);
});

test('what others write is not behind many requests of many files each', async () => {
  const eve = store.as('eve');
  const { id } = (await eve.packages.create(input)).record;
  await eve.files.add(id, { relative_path: 'bytes', body: bytes('same') });
  const { content_address, size_bytes } = (await eve.files.find(id, 'bytes'))!;
  const attach = (round: number) =>
    eve.files.attach(
      id,
      Array.from({ length: 500 }, (_, index) => ({ relative_path: `${round}/${index}`, content_address, size_bytes })),
    );
  const requests = Array.from({ length: 6 }, (_, round) => attach(round));
  let answered = 0;
  for (const request of requests) void request.then(() => answered++);
  // So all others wait.
  await Promise.race(requests);
  await store.as('good').packages.create(input);
  assert.ok(answered <= 3, `${answered} were before it`);
  await Promise.all(requests);
});

test('those without a token have a share for each address', async () => {
  const here = store.as(observer('anonymous', 'address 192.0.2.1'));
  const there = store.as(observer('anonymous', 'address 192.0.2.2'));
  let answered = 0;
  const many = Array.from({ length: 1_000 }, () => here.packages.list({ limit: 1 }).then(() => answered++));
  await there.packages.list({ limit: 1 });
  assert.ok(answered < 500, `${answered} were before it`);
  await Promise.all(many);
});

test('metadata has a bound of members, since each is a row that is written while others wait', async () => {
  const members = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index]));
  const { packages } = store.as('eve');
  assert.equal((await packages.create({ ...input, metadata: members(1_000) })).created, true);
  await assert.rejects(packages.create({ ...input, metadata: members(1_001) }), {
    code: 'invalid_value',
    message: /1001 members, and at most 1000/,
  });
  // Within a member there may be more: they are not searched.
  assert.equal((await packages.create({ ...input, metadata: { all: members(19_998) } })).created, true);
  await assert.rejects(packages.create({ ...input, metadata: { all: members(19_999) } }), {
    code: 'invalid_value',
    info: { bound: 'metadata_values', limit: 20_000 },
  });
});

async function* bytes(text: string) {
  yield Buffer.from(text);
}

test('what is written weighs as much as there is of it', () => {
  const prepared = { sequence: 1, file_count: 100_000, files: [], receipt_count: 0, receipts: [], files_digest: null };
  const sealing: FinalizePackage = { actor: 'a', id: 'i', files_digest: null, software: 's', prepared, moved: [], in_one_step: false };
  assert.equal(weightOf({ id: 'x' }), 1);
  assert.equal(weightOf({ items: [1, 2, 3] }), 3);
  assert.equal(weightOf(sealing), 2001);
  assert.equal(weightOf({ ...sealing, prepared: null }), 1);
  assert.equal(weightOf({ producer: 'p', objects: [1, 2, 3] }), 3);
});

test('what is looked up, or goes with a write session, weighs what there is of it', () => {
  assert.equal(weightOf({ id: 's', objects: true, object_count: 10_000 }), 501);
  assert.equal(weightOf({ actor: 'a', id: 's', object_count: 10_000 }), 501);
  assert.equal(weightOf({ file_ids: Array.from({ length: 250 }, String) }), 14);
  assert.equal(weightOf({ package_id: 'p', relative_paths: Array.from({ length: 500 }, String) }), 26);
});

test('what others read is not behind many looks at a long write session', async () => {
  const eve = store.as('eve');
  const objects = Array.from({ length: 2_000 }, (_, index) => ({
    name: `o/${index}`,
    sha256: `${index}`.padStart(64, '0'),
    size_bytes: 1,
  }));
  const request = { scope: 's', producer: 'p', subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 60, objects };
  const { id } = (await eve.writeSessions.open(request, { idempotencyKey: 'long' })).record;
  let answered = 0;
  const looks = Array.from({ length: 40 }, async () => {
    const session = await eve.writeSessions.status(id);
    assert.equal(session?.objects.length, 2_000);
    answered += 1;
  });
  // So all others wait.
  await Promise.race(looks);
  await store.as('good').packages.list({ limit: 1 });
  assert.ok(answered <= 20, `${answered} were before it`);
  await Promise.all(looks);
  await eve.writeSessions.abort(id);
});

test('metadata weighs what it has, however deep it lies', () => {
  const weight = (metadata: JsonObject) => weightOf({ package: { metadata } });
  assert.equal(weight({ a: 1, b: 'two' }), 2);
  assert.ok(weight({ a: Array.from({ length: 99_000 }, () => ({})) }) >= 512, 'as much as is under way at once');
  assert.ok(weight({ a: [{ text: 'x'.repeat(1_000_000) }] }) > 50);
});

test('of stored bytes that one reads at once so much is in memory, and another reads beside it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
  const database = await openSqlite<RegistryOperations>({
    path: join(directory, 'registry.db'),
    operations: { url: operationsUrl },
    migrate: true,
  });
  try {
    const { takeStored } = createFairShares(database);
    const { promise, resolve } = Promise.withResolvers<void>();
    let begun = 0;
    const read = (bytes: number, who = 'one') =>
      takeStored(who, bytes, async () => {
        begun += 1;
        await promise;
      });
    const long = Array.from({ length: 40 }, () => read(5_000_000_000));
    assert.equal(begun, 16);
    const others = Array.from({ length: 100 }, () => read(1_000, 'another'));
    assert.equal(begun, 116);
    resolve();
    await Promise.all([...long, ...others]);
    assert.equal(begun, 140);
  } finally {
    await database.close();
    rmSync(directory, { recursive: true });
  }
});
