import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, open, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Draft } from '../../src/dataplane/DATAPLANE.ts';
import { openDataPlane } from '../../src/dataplane/streaming.ts';
import { blake3 } from '../../src/kernel/content/digest.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { openLocalStorage } from '../../src/storage/local/local.ts';
import { openMemoryStorage } from '../../src/storage/memory.ts';
import { cut, edgeSizes, gather, mebibyte, storedObject, withPlane } from './planes.ts';

const skipTrace = works('strace', ['-f', '-o', '/dev/null', 'true']) ? false : 'strace is not installed, or may not trace here';

describe('the data plane', () => {
  test('keeps a draft until it is discarded, for any number of keys', () =>
    withPlane(async ({ plane, drafts }) => {
      for (const backendId of ['local', 'memory']) {
        for (const size of edgeSizes) {
          const bytes = randomBytes(size);
          const draft = await plane.stage(backendId, cut(bytes, [65_536]));
          for (const key of ['one', 'one', 'two/three']) await plane.publish(draft, key);
          // What is sent elsewhere need not lie on the disk while it is small.
          assert.deepEqual(await drafts(), backendId === 'memory' && size <= mebibyte ? [] : [draft.id]);
          await plane.discard(draft);
          assert.deepEqual(await drafts(), []);
          for (const key of ['one', 'two/three']) {
            const object = storedObject(draft, key);
            assert.deepEqual(await plane.check(object), { result: 'ok' });
            assert.ok((await gather(await plane.open(object))).equals(bytes));
            await plane.remove(backendId, key);
            await plane.remove(backendId, key);
            assert.equal((await plane.check(object)).result, 'missing');
          }
        }
      }
    }));

  test('discards what is gone, or never was, without a word', () =>
    withPlane(async ({ plane, drafts }) => {
      const draft = await plane.stage('local', cut(randomBytes(10), [10]));
      await plane.discard(draft);
      await plane.discard(draft);
      await plane.discard({ ...draft, backendId: 'elsewhere' });
      await plane.discard({ ...draft, id: randomUUID(), backendId: 'memory' });
      assert.deepEqual(await drafts(), []);
      for (const backendId of ['local', 'memory']) {
        await assert.rejects(plane.publish({ ...draft, backendId }, 'k'), (error) => isArtifactstoreError(error, 'storage_unavailable'));
      }
    }));

  test('does not send a spooled draft that is not what was hashed', () =>
    withPlane(async ({ plane, memory, root }) => {
      for (const size of [mebibyte + 10, 3 * mebibyte + 5]) {
        const draft = await plane.stage('memory', cut(randomBytes(size), [65_536]));
        const path = join(root, 'spool', draft.id);
        await using handle = await open(path, 'r+');
        await handle.write(Buffer.from('damage'), 0, 6, size - 8);
        await assert.rejects(plane.publish(draft, 'k'), (error) => isArtifactstoreError(error, 'integrity_failure'));
        await handle.truncate(size - 1);
        await assert.rejects(plane.publish(draft, 'k'), (error) => isArtifactstoreError(error, 'integrity_failure'));
        assert.equal(await memory.head('k'), undefined);
      }
    }));

  test('stops the publishing of a spooled draft', () =>
    withPlane(async ({ plane, memory }) => {
      const draft = await plane.stage('memory', cut(randomBytes(1000), [1000]));
      await assert.rejects(plane.publish(draft, 'k', AbortSignal.abort()), (error) => isArtifactstoreError(error, 'cancelled'));
      assert.equal(await memory.head('k'), undefined);
    }));

  test('lists what a backend holds, and reclaims drafts that were left alone for long', () =>
    withPlane(async ({ plane, local, drafts, root }) => {
      for (const backendId of ['local', 'memory']) {
        const [published, left, fresh] = [
          await plane.stage(backendId, cut(randomBytes(100), [100])),
          await plane.stage(backendId, cut(randomBytes(mebibyte + 1), [65_536])),
          await plane.stage(backendId, cut(randomBytes(mebibyte + 1), [65_536])),
        ];
        await plane.publish(published, 'a/key');
        await plane.discard(published);
        const listed = await Array.fromAsync(plane.list(backendId), ({ key, sizeBytes }) => [key, sizeBytes]);
        assert.deepEqual(listed, [['a/key', 100]]);
        const hourAgo = new Date(Date.now() - 3_600_000);
        await utimes(join(backendId === 'local' ? local.drafts!.directory : join(root, 'spool'), left.id), hourAgo, hourAgo);
        assert.equal(await plane.reclaimDrafts(backendId, 3000), 1);
        assert.equal(await plane.reclaimDrafts(backendId, 3000), 0);
        assert.deepEqual(await drafts(), [fresh.id]);
        await plane.discard(fresh);
      }
    }));

  test('leaves what is no draft of its own where drafts lie', () =>
    withPlane(async ({ plane, local, drafts, root }) => {
      for (const backendId of ['local', 'memory']) {
        const folder = backendId === 'local' ? local.drafts!.directory : join(root, 'spool');
        await mkdir(join(folder, 'letters'), { recursive: true });
        await writeFile(join(folder, 'letter.txt'), 'of somebody else');
        for (const name of ['letter.txt', 'letters']) await utimes(join(folder, name), 1, 1);
        assert.equal(await plane.reclaimDrafts(backendId, 0), 0);
      }
      assert.deepEqual((await drafts()).toSorted(), ['letter.txt', 'letter.txt', 'letters', 'letters']);
    }));

  test('goes straight to a key where the backend has no drafts of its own, and nothing appears there before its time', () =>
    withPlane(async ({ plane, memory, drafts }) => {
      const bytes = randomBytes(3 * mebibyte + 1);
      assert.equal(plane.stagesStraight('local'), false);
      assert.equal(plane.stagesStraight('memory'), true);
      async function* watched() {
        for await (const chunk of cut(bytes, [mebibyte / 2])) {
          assert.equal(await memory.head('straight'), undefined);
          yield chunk;
        }
      }
      const expected = { digests: new Map([['blake3', blake3(bytes)]]) };
      const draft = await plane.stage('memory', watched(), expected, undefined, 'straight');
      assert.equal(draft.publishedAt, 'straight');
      assert.deepEqual(await drafts(), []);
      assert.deepEqual(await gather(await plane.open(storedObject(draft, 'straight'))), bytes);
      await plane.publish(draft, 'elsewhere');
      assert.deepEqual(await gather(await plane.open(storedObject(draft, 'elsewhere'))), bytes);
      await plane.discard(draft);
      await plane.remove('memory', 'straight');
      await assert.rejects(plane.publish(draft, 'third'), (error) => isArtifactstoreError(error, 'storage_unavailable'));
      assert.equal(await memory.head('third'), undefined);

      const other = { digests: new Map([['blake3', blake3(Buffer.from('other'))]]) };
      await assert.rejects(plane.stage('memory', watched(), other, undefined, 'never'), (error) =>
        isArtifactstoreError(error, 'digest_mismatch'),
      );
      assert.equal(await memory.head('never'), undefined);
    }));

  test('waits on the disk when as many as may go straight do', () =>
    withPlane(async ({ plane, drafts }) => {
      const { promise: over, resolve } = Promise.withResolvers<void>();
      async function* slow() {
        yield randomBytes(mebibyte + 1);
        await over;
      }
      const staged = Array.from({ length: 10 }, (_, index) => plane.stage('memory', slow(), {}, undefined, `k${index}`));
      while (plane.stagesStraight('memory')) await new Promise((next) => setTimeout(next, 1));
      resolve();
      const there = await Promise.all(staged);
      const spooled = there.filter((draft) => draft.publishedAt === undefined);
      assert.ok(spooled.length > 0 && spooled.length < there.length);
      assert.equal((await drafts()).length, spooled.length);
      assert.ok(plane.stagesStraight('memory'));
    }));

  test('needs a place for drafts where the backend has none', async () => {
    const plane = openDataPlane({ backends: new Map([['memory', openMemoryStorage({ id: 'memory' })]]) });
    await assert.rejects(plane.stage('memory', cut(Buffer.alloc(1), [1])), (error) => isArtifactstoreError(error, 'invalid_configuration'));
    await plane.discard({ id: randomUUID(), backendId: 'memory' } as Draft);
  });

  test('says of every backend how it is, also of one that hangs', () => {
    const hanging = { ...openMemoryStorage({ id: 'hanging' }), health: () => new Promise<never>(() => undefined) };
    return withPlane(
      async ({ plane }) => {
        const health = await plane.health();
        assert.deepEqual([...health].map(([id, { healthy }]) => [id, healthy]).sort(), [
          ['hanging', false],
          ['local', true],
          ['memory', true],
        ]);
        assert.ok(health.get('local')!.freeBytes! > 0);
        assert.equal(health.get('hanging')!.detail, 'no answer in 2000 ms');
      },
      { backends: [hanging], healthMilliseconds: 2000 },
    );
  });

  test('says storage_full when the disk is, and leaves nothing', async (context) => {
    const root = mkdtempSync(join(tmpdir(), 'artifactstore-disk-'));
    try {
      if (!works('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', root])) return context.skip('mounting is not permitted here');
      try {
        const storage = openLocalStorage({ id: 'local', root });
        const plane = openDataPlane({ backends: new Map([['local', storage]]), spoolDirectory: root });
        const bytes = randomBytes(9 * mebibyte);
        for (const hashed of ['here', 'on a thread']) {
          const source = cut(bytes, [65_536]);
          await assert.rejects(plane.stage('local', source), (error) => isArtifactstoreError(error, 'storage_full'), hashed);
          assert.deepEqual(readdirSync(storage.drafts.directory), []);
        }
        await writeFile(join(root, 'filler'), randomBytes(4 * mebibyte)).catch(() => undefined);
        await assert.rejects(plane.stage('local', cut(bytes.subarray(0, 9000), [4096])), (error) =>
          isArtifactstoreError(error, 'storage_full'),
        );
        assert.deepEqual(readdirSync(storage.drafts.directory), []);
        await plane.close();
      } finally {
        works('umount', [root]);
      }
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  for (const size of [10, 3 * mebibyte]) {
    test(`makes ${size} bytes durable before their name, and the name before publish resolves`, { skip: skipTrace }, () => {
      const directory = mkdtempSync(join(tmpdir(), 'artifactstore-trace-'));
      try {
        const [root, log] = [join(directory, 'root'), join(directory, 'log')];
        mkdirSync(root);
        const module = (path: string): string => pathToFileURL(join(import.meta.dirname, '../../src', path)).href;
        const program = `
          import { openDataPlane } from '${module('dataplane/streaming.ts')}';
          import { openLocalStorage } from '${module('storage/local/local.ts')}';
          const plane = openDataPlane({ backends: new Map([['local', openLocalStorage({ id: 'local', root: process.argv[1] })]]) });
          const draft = await plane.stage('local', (async function* () { yield Buffer.alloc(${size}); })());
          await plane.publish(draft, 'blake3/ab/cd/key');
          await plane.discard(draft);
          await plane.close();
        `;
        const traced = ['-f', '-y', '-o', log, '-e', 'trace=link,unlink,write,fsync,fdatasync'];
        const run = spawnSync('strace', [...traced, process.execPath, '--input-type=module', '-e', program, root], { encoding: 'utf8' });
        assert.equal(run.status, 0, run.stderr);
        const calls = readFileSync(log, 'utf8').replaceAll(root, 'ROOT').split('\n');
        const at = (pattern: RegExp, from: number): number => {
          const found = calls.findIndex((call, index) => index >= from && pattern.test(call));
          assert.ok(found >= 0, `no ${pattern} after ${from} in\n${calls.filter((call) => call.includes('ROOT')).join('\n')}`);
          return found;
        };
        const written = calls.findLastIndex((call) => /write\(\d+<ROOT\/drafts\//.test(call));
        const durable = at(/fdatasync\(\d+<ROOT\/drafts\/[0-9a-f-]{36}>/, written);
        const linked = at(/link\("ROOT\/drafts\/.*"ROOT\/blake3\/ab\/cd\/key"\)/, durable);
        at(/unlink\("ROOT\/drafts\//, at(/fsync\(\d+<ROOT\/blake3\/ab\/cd>/, linked));
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  }
});

function works(command: string, parameters: readonly string[]): boolean {
  return spawnSync(command, parameters, { stdio: 'ignore' }).status === 0;
}
