import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import type { Database } from '../../../src/database/DATABASE.ts';
import { administrator } from '../../../src/kernel/access.ts';
import { holdsBytes } from '../../../src/registry/conformance/samples.ts';
import type { RegistryOperations } from '../../../src/registry/operations/operations.ts';
import { commitsIn } from '../../database/wal-commits.ts';
import { openTestRegistry } from '../open-registry.ts';
import { openTwoBackends, type TwoBackends } from '../two-backends.ts';

async function* once(text: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield typeof text === 'string' ? Buffer.from(text) : text;
}

/** The same database, on which something happens when the bytes of a file have their key, and no row does yet. */
function meanwhile({ database }: TwoBackends, happens: () => Promise<unknown>): Database<RegistryOperations> {
  return {
    ...database,
    async write(name, input) {
      if (name === 'file.add') await happens();
      return await database.write(name, input);
    },
  };
}

async function begun(store: TwoBackends) {
  const registry = store.as(administrator('tester'));
  const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
  const { id } = await registry.uploads!.begin({ package_id: record.id, relative_path: 'a' });
  await registry.uploads!.append(id, 0, once('abc'));
  return { id, uploads: registry.uploads! };
}

test('nothing is added to an upload whose file is being made', async () => {
  await using store = await openTwoBackends();
  const { id, uploads } = await begun(store);
  let refused: unknown;
  const other = store.over({
    database: meanwhile(store, () =>
      uploads.append(id, 3, once('def')).catch((error: unknown) => {
        refused = error;
      }),
    ),
  });
  const { record } = await other.as(administrator('tester')).uploads!.finish(id);
  await other.settle();
  assert.equal((refused as { readonly code?: string } | undefined)?.code, 'upload_length_mismatch');
  const { offset_bytes, state, file_id } = (await uploads.status(id))!;
  assert.deepEqual([record.size_bytes, offset_bytes, state, file_id], [3, 3, 'finished', record.id]);
});

test('whoever asks where an upload is, while its file is being made, hears of every byte that came', async () => {
  await using store = await openTwoBackends();
  const making = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  let appending: Promise<unknown> | undefined;
  let isAsked = false;
  const database: Database<RegistryOperations> = {
    ...store.database,
    async read(name, input) {
      const found = await store.database.read(name, input);
      if (name === 'upload.get' && isAsked) {
        // The rest comes behind what was read, and becomes a file.
        isAsked = false;
        appending = uploads.append(id, 3, once('def'));
        await making.promise;
      }
      return found;
    },
    async write(name, input) {
      if (name === 'file.add') {
        making.resolve();
        await told.promise;
      }
      return await store.database.write(name, input);
    },
  };
  const { packages, uploads: own } = store.over({ database }).as(administrator('tester'));
  const uploads = own!;
  const { record } = await packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
  const { id } = await uploads.begin({ package_id: record.id, relative_path: 'a', size_bytes: 6 });
  await uploads.append(id, 0, once('abc'));
  isAsked = true;
  const status = await uploads.status(id, { settle: true });
  told.resolve();
  await appending;
  assert.equal(status?.offset_bytes, 6);
  assert.equal((await uploads.status(id))?.state, 'finished');
});

test('what could not become a file after it was published is not added to', async () => {
  await using store = await openTwoBackends();
  const { id, uploads } = await begun(store);
  const failing: Database<RegistryOperations> = {
    ...store.database,
    async write(name, input) {
      if (name === 'file.add') throw new Error('the commit failed');
      return await store.database.write(name, input);
    },
  };
  const other = store.over({ database: failing });
  await assert.rejects(other.as(administrator('tester')).uploads!.finish(id));
  await other.settle();
  await assert.rejects(uploads.append(id, 3, once('def')), { code: 'upload_length_mismatch' });
  assert.equal((await uploads.finish(id)).record.size_bytes, 3);
});

test('an upload that was given up while its file was made has become the file', async () => {
  await using store = await openTwoBackends();
  const { id, uploads } = await begun(store);
  const other = store.over({ database: meanwhile(store, () => uploads.abandon(id)) });
  const made = await other.as(administrator('tester')).uploads!.finish(id);
  await other.settle();
  assert.deepEqual(await uploads.finish(id), made);
  await assert.rejects(uploads.abandon(id), { code: 'upload_finished' });
});

test('an upload that was given up before its bytes had a key says so', async () => {
  await using store = await openTwoBackends();
  const { id, uploads } = await begun(store);
  const { database } = store;
  const other = store.over({
    database: {
      ...database,
      async read(name, input) {
        if (name === 'file.plan') await uploads.abandon(id);
        return await database.read(name, input);
      },
    },
  });
  await assert.rejects(other.as(administrator('tester')).uploads!.finish(id), { code: 'upload_not_found', message: /was abandoned/ });
  await other.settle();
});

test('what an earlier writer in another process still writes behind the bytes is no part of their file', async () => {
  await using store = await openTwoBackends();
  const { id, uploads } = await begun(store);
  const [taken, continues] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  async function* late(): AsyncGenerator<Uint8Array> {
    taken.resolve();
    await continues.promise;
    yield Buffer.from('def');
  }
  const appended = uploads.append(id, 3, late());
  appended.catch(() => undefined);
  await taken.promise;
  const { segments } = store.dataplane;
  const other = store.over({
    dataplane: {
      ...store.dataplane,
      segments: {
        ...segments,
        async stage(...input) {
          const staged = await segments.stage(...input);
          // Its bytes are known, and are not under their key yet.
          continues.resolve();
          await assert.rejects(appended, { code: 'upload_superseded' });
          return staged;
        },
      },
    },
  });
  const registry = other.as(administrator('tester'));
  const { record } = await registry.uploads!.finish(id);
  await other.settle();
  await holdsBytes(registry, record, Buffer.from('abc'));
});

test('an upload whose file another process has made meanwhile has that answer, although its bytes are gone', async () => {
  await using store = await openTwoBackends();
  const { id, uploads } = await begun(store);
  const { database } = store;
  let elsewhere: unknown;
  const other = store.over({
    database: {
      ...database,
      async write(name, input) {
        const answer = await database.write(name, input);
        if (name === 'upload.take') {
          elsewhere = await uploads.finish(id);
          await store.settle();
        }
        return answer;
      },
    },
  });
  const made = await other.as(administrator('tester')).uploads!.finish(id);
  await other.settle();
  assert.deepEqual(made, elsewhere);
});

test('an upload in pieces waits for two commits for each, and for two to make its file and end with it', async () => {
  await using store = await openTwoBackends();
  const { packages, uploads } = store.as(administrator('tester'));
  const { record } = await packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
  const path = join(store.directory, 'artifactstore.db');
  let least = [9, 9, 9, 9];
  // Who is slow says in between that it is at work, and a commit more.
  for (const relative_path of ['a', 'b', 'c']) {
    const counted = [commitsIn(path)];
    const { id } = await uploads!.begin({ package_id: record.id, relative_path });
    counted.push(commitsIn(path));
    for (const at of [0, 3]) {
      await uploads!.append(id, at, once('abc'));
      counted.push(commitsIn(path));
    }
    const made = await uploads!.finish(id);
    counted.push(commitsIn(path));
    least = least.map((number, index) => Math.min(number, counted[index + 1]! - counted[index]!));
    const { state, offset_bytes, size_bytes, file_id } = (await uploads!.status(id))!;
    assert.deepEqual([state, offset_bytes, size_bytes, file_id], ['finished', 6, 6, made.record.id]);
    assert.deepEqual(await uploads!.finish(id), made);
  }
  assert.deepEqual(least, [1, 2, 2, 2]);
});

test('what an upload has become first stays its answer', async () => {
  await using store = await openTwoBackends();
  const { id, uploads } = await begun(store);
  let first: unknown;
  const other = store.over({
    database: meanwhile(store, async () => {
      first = await uploads.finish(id);
    }),
  });
  const made = await other.as(administrator('tester')).uploads!.finish(id);
  await other.settle();
  assert.equal(made.created, false);
  assert.deepEqual(await uploads.finish(id), first);
});

test('an upload whose length another process gave free has that of its file', async () => {
  await using store = await openTwoBackends();
  const { database } = store;
  const { id, uploads } = await begun(store);
  const give = async () => {
    const holder = { owner: null, holder: 'elsewhere', policy: 'takeover' } as const;
    const { row } = await database.write('upload.take', { id, ...holder, offset: null, size_bytes: null, body_bytes: null });
    const release = { grows: false, size: 'unknown' } as const;
    await database.write('upload.progress', { id, epoch: row.detail.epoch, segments: null, lifetime_seconds: 60, release });
    assert.equal((await uploads.status(id))!.size_bytes, null);
  };
  await store
    .over({ database: meanwhile(store, give) })
    .as(administrator('tester'))
    .uploads!.finish(id);
  const { state, size_bytes } = (await uploads.status(id))!;
  assert.deepEqual([state, size_bytes], ['finished', 3]);
});

test('an upload that was forgotten while its file was made has become a file all the same', async () => {
  await using store = await openTwoBackends();
  const { id } = await begun(store);
  const forget = async () => {
    await store.database.write('upload.abandon', { id, owner: null });
    await store.database.write('upload.expire', { before: '9999-01-01T00:00:00.000Z', after: null, limit: 10 });
  };
  const other = store.over({ database: meanwhile(store, forget) });
  const made = await other.as(administrator('tester')).uploads!.finish(id);
  await other.settle();
  assert.equal(made.record.size_bytes, 3);
});

/** How many bytes this process has read so far, from whatever file or socket. */
function bytesRead(): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))![1]);
}

test('what came in one process is not read again to make its file', {
  skip: process.platform !== 'linux' && 'counts what Linux counts',
}, async () => {
  await using store = await openTestRegistry();
  const { packages, uploads } = store.as('tester');
  const { record } = await packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
  const bytes = randomBytes(8 * 1_048_576 + 5);
  const { id } = await uploads!.begin({ package_id: record.id, relative_path: 'a' });
  let offset = 0;
  for (const end of [100, 3_000_000, bytes.length]) {
    await uploads!.append(id, offset, once(bytes.subarray(offset, end)));
    offset = end;
  }
  const before = bytesRead();
  const made = await uploads!.finish(id);
  const read = bytesRead() - before;
  assert.equal(made.record.digest_sha256, createHash('sha256').update(bytes).digest('hex'));
  assert.ok(read < bytes.length / 2, `${read} bytes were read to make a file of ${bytes.length}`);
});
