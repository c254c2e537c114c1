import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { restoreStore } from '../../../src/compose/restore-store.ts';
import { readConfig } from '../../../src/config/config.ts';
import { administrator } from '../../../src/kernel/access.ts';
import type { Registry } from '../../../src/registry/REGISTRY.ts';
import { type PostgresServer, startPostgres } from '../../postgres-server.ts';
import { openTestRegistry } from '../open-registry.ts';
import { openTwoBackends } from '../two-backends.ts';

describe('what is held, in a backup', () => {
  let server: PostgresServer;
  let scratch: string;
  before(async () => {
    server = await startPostgres();
    scratch = mkdtempSync(join(tmpdir(), 'artifactstore-copies-'));
  });
  after(async () => {
    await server.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  for (const [from, to] of [
    ['sqlite', 'sqlite'],
    ['sqlite', 'postgresql'],
    ['postgresql', 'postgresql'],
    ['postgresql', 'sqlite'],
  ] as const)
    it(`is brought back into its backends, from ${from} to ${to}, whatever settles meanwhile`, async () => {
      await using store = await openTwoBackends({
        holds: true,
        ...(from === 'postgresql' ? { databaseUrl: await server.createDatabase() } : {}),
      });
      const user = store.as(administrator('user'));
      const kept = new Map<string, readonly string[]>();
      const fill = async (producer: 'near' | 'far', count: number) => {
        const id = await newPackage(user, producer);
        const texts = Array.from({ length: count }, (_, index) => `${kept.size} ${index} ${'x'.repeat(index * 2_000)}`);
        for (const text of texts) await add(user, id, text);
        await user.packages.finalize(id);
        kept.set(id, texts);
      };
      for (const producer of ['near', 'far'] as const) await fill(producer, 6);
      await store.operator.settleHeld();
      for (const producer of ['near', 'far'] as const) await fill(producer, 6);
      const target = join(scratch, `${from}-${to}`);
      const whole = await store.operator.backup(target);
      assert.deepEqual([whole.ok, whole.missing, whole.objects, await held(user)], [true, [], 24, [6, 6]]);

      // Settled, released and held anew while it is copied.
      let over = false;
      const living = (async () => {
        while (!over) {
          const id = await newPackage(user, 'near');
          await add(user, id, `given up ${Math.random()}`);
          if (Math.random() < 0.5) await store.operator.settleHeld();
          await user.packages.abandon(id);
          await store.operator.collect();
        }
      })();
      for (const producer of ['near', 'far'] as const) await fill(producer, 6);
      for (let count = 0; count < 3; count++) assert.equal((await store.operator.backup(target)).ok, true);
      over = true;
      await living;
      await fill('near', 5);
      const last = await store.operator.backup(target);
      assert.ok((await held(user))[0]! >= 5, 'the last backup had nothing that was held');
      assert.equal(last.ok, true);

      const directory = join(scratch, `${from}-${to}-restored`);
      const environment = {
        ARTIFACTSTORE_DATABASE_URL: to === 'sqlite' ? `sqlite:${directory}/r.db` : await server.createDatabase(),
        ARTIFACTSTORE_STORAGE_BACKENDS: 'near:local,far:local',
        ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 'near',
        ARTIFACTSTORE_STORAGE_LOCAL_NEAR_ROOT: join(directory, 'near'),
        ARTIFACTSTORE_STORAGE_LOCAL_FAR_ROOT: join(directory, 'far'),
      };
      await mkdir(directory);
      const restored = await restoreStore(readConfig(environment, { directory }), target, {});
      assert.deepEqual([restored.ok, restored.sequence], [true, last.sequence]);
      await using there = await openTestRegistry(environment);
      assert.deepEqual(await held(there.as('reader')), [0, 0]);
      await assertWhole(there.as('reader'), kept);
      for (const id of ['near', 'far']) {
        const { failed, missing } = await there.operator.verifyStorage(id, { restart: true });
        assert.deepEqual([failed, missing], [0, 0]);
      }
      for (const { stored_bytes, live_bytes } of (await there.operator.collect()).backends) assert.equal(stored_bytes, live_bytes);
    });

  for (const kind of ['sqlite', 'postgresql'] as const)
    it(`brings back a lost ${kind} database beside a storage that never had it`, async () => {
      const url = async (name: string) => (kind === 'sqlite' ? `sqlite:${join(scratch, `${name}.db`)}` : await server.createDatabase());
      const root = join(scratch, `${kind}-storage`);
      const settings = { ARTIFACTSTORE_STORAGE_LOCAL_ROOT: root, ARTIFACTSTORE_SMALL_OBJECT_BYTES: '65536' };
      const target = join(scratch, `${kind}-lost`);
      const kept = new Map<string, readonly string[]>();
      {
        await using store = await openTestRegistry({ ...settings, ARTIFACTSTORE_DATABASE_URL: await url('lost') });
        const user = store.as('user');
        const id = await newPackage(user, 'p');
        kept.set(id, ['settled', 'held']);
        await add(user, id, 'settled');
        await store.operator.settleHeld();
        assert.equal((await store.operator.backup(target)).ok, true);
        renameSync(root, `${root}-away`);
        await add(user, id, 'held');
        const made = await store.operator.backup(target);
        assert.deepEqual([made.ok, made.copied.objects, await held(user)], [true, 1, [1]]);
      }
      renameSync(`${root}-away`, root);
      const environment = { ...settings, ARTIFACTSTORE_DATABASE_URL: await url('found') };
      const restored = await restoreStore(readConfig(environment, { directory: scratch }), target, { resume: true });
      assert.equal(restored.ok, true);
      await using there = await openTestRegistry(environment);
      assert.deepEqual(await held(there.as('reader')), [0]);
      await assertWhole(there.as('reader'), kept);
    });
});

async function newPackage(user: Registry, producer: string): Promise<string> {
  return (await user.packages.create({ name: 'n', producer, subject: 's', retention_class: 'transient' })).record.id;
}

async function add(user: Registry, id: string, text: string): Promise<void> {
  async function* body() {
    yield Buffer.from(text);
  }
  await user.files.add(id, { relative_path: text.slice(0, 20).trim(), body: body() });
}

async function held(user: Registry): Promise<readonly (number | null)[]> {
  return (await user.health()).backends.map(({ held_objects }) => held_objects);
}

/** Every file has the bytes that were acknowledged. */
async function assertWhole(user: Registry, kept: ReadonlyMap<string, readonly string[]>): Promise<void> {
  for (const [package_id, texts] of kept)
    for (const text of texts) {
      const opened = await user.files.open({ package_id, relative_path: text.slice(0, 20).trim() });
      assert.equal(Buffer.concat(await Array.fromAsync(opened!.body, (chunk) => Buffer.from(chunk))).toString(), text);
    }
}
