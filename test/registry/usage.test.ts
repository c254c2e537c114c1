import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Database } from '../../src/database/DATABASE.ts';
import { administrator } from '../../src/kernel/access.ts';
import type { RegistryOperations } from '../../src/registry/operations/operations.ts';
import type { Registry, Usage } from '../../src/registry/REGISTRY.ts';
import { createUsage } from '../../src/registry/usage.ts';
import { openTwoBackends, type TwoBackends } from './two-backends.ts';

async function* body(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

describe('usage', () => {
  let store: TwoBackends;
  let registry: Registry;
  let place: string;
  before(async () => {
    store = await openTwoBackends();
    registry = store.as(administrator('tester'));
    place = mkdtempSync(join(tmpdir(), 'artifactstore-usage-'));
  });
  after(async () => {
    await store.close();
    rmSync(place, { recursive: true, force: true });
  });

  const fresh = (): Promise<Usage> =>
    createUsage({ database: store.database, dataplane: store.dataplane, now: Date.now, unfinalizedSeconds: 3600 })();
  const near = async () => (await fresh()).backends.find(({ backend_id }) => backend_id === 'near')!;
  async function add(text: string, retention_class = 'transient') {
    const { record } = await registry.packages.create({ name: 'n', producer: 'near', subject: 's', retention_class });
    const file = await registry.files.add(record.id, { relative_path: 'f', body: body(text) });
    return { id: record.id, file: file.record };
  }

  it('tells what a collection would free, which shares nothing with what stays', async () => {
    const given = await add('given up');
    const shared = await add('shared');
    const stays = await add('shared');
    await registry.packages.finalize(stays.id);
    await registry.packages.abandon(given.id);
    await registry.packages.abandon(shared.id);
    const due = await add('due at once', 'blink');
    await registry.packages.finalize(due.id);
    const held = await add('due and held', 'blink');
    await registry.packages.finalize(held.id);
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    await store.operator.sweep();
    await registry.retention.hold(held.id, { reason: 'r' });

    const before = await fresh();
    const plan = await store.operator.planCollection();
    assert.equal(before.reclaimable_packages, 3);
    const [planned] = plan.delete_objects;
    const { reclaimable_objects, reclaimable_bytes } = await near();
    assert.deepEqual({ objects: reclaimable_objects, bytes: reclaimable_bytes }, { objects: planned!.objects, bytes: planned!.bytes });
    assert.equal(reclaimable_bytes, 'given up'.length + 'due at once'.length);
    assert.equal(before.last_collection, null);

    await store.operator.collect();
    const after = await fresh();
    assert.deepEqual([after.reclaimable_packages, (await near()).reclaimable_objects, (await near()).dead_objects], [0, 0, 0]);
    assert.equal((await near()).stored_bytes, before.backends[0]!.stored_bytes - reclaimable_bytes);
    assert.equal(after.packages.garbage_collected.packages, 1);
  });

  it('tells when each kind of maintenance last came to its end, and what is known to be bad', async () => {
    assert.equal((await near()).last_verification, null);
    await store.operator.backup(join(place, 'b'));
    const lost = await add('lost');
    await store.operator.backup(join(place, 'b'));
    unlinkSync(store.pathOf('near', lost.file));
    await store.operator.verifyStorage('near');
    const { failed_objects, last_verification } = await near();
    const { last_sweep, last_collection, last_backup } = await fresh();
    assert.equal(failed_objects, 1);
    for (const run of [last_verification, last_sweep, last_collection, last_backup])
      assert.ok(run !== null && run.started_at <= run.finished_at);
    // One that leaves something out is no verification of the whole.
    await store.operator.verifyStorage('near', { notVerifiedSince: new Date().toISOString() });
    assert.deepEqual((await near()).last_verification, last_verification);
  });

  it('counts once for all who ask at the same time, and keeps what took long', async () => {
    let counted = 0;
    const slow: Database<RegistryOperations> = {
      ...store.database,
      async read(name, input) {
        counted += 1;
        await new Promise((resolve) => setTimeout(resolve, 300));
        return await store.database.read(name, input);
      },
    };
    const usage = createUsage({ database: slow, dataplane: store.dataplane, now: Date.now, unfinalizedSeconds: 3600 });
    await Promise.all([usage(), usage()]);
    await usage();
    assert.equal(counted, 1);
  });
});
