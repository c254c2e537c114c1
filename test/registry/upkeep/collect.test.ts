import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import type { Registry } from '../../../src/registry/REGISTRY.ts';
import { localRoot, openTestRegistry, type TestRegistry } from '../open-registry.ts';

/** A class whose packages expire at once, as far as a person can tell. */
const blink = '[retention_classes.blink]\ndefault_duration_seconds = 1\n';

describe('sweep and collection', () => {
  let store: TestRegistry;
  let registry: Registry;
  before(async () => {
    store = await openTestRegistry({ ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml' }, { 'retention.toml': blink });
    registry = store.as('producer');
  });
  after(() => store.close());

  const sealed = async (retention_class: string, files: Readonly<Record<string, string>>): Promise<string> => {
    const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class });
    for (const [relative_path, text] of Object.entries(files)) await registry.files.add(record.id, { relative_path, body: body(text) });
    await registry.packages.finalize(record.id);
    return record.id;
  };
  const read = async (package_id: string, relative_path: string) => {
    const opened = await registry.files.open({ package_id, relative_path });
    let text = '';
    for await (const chunk of opened!.body) text += Buffer.from(chunk).toString();
    return text;
  };
  const expire = () => sleep(1100);

  it('marks what expired, collects it, and leaves shared bytes to who still needs them', async () => {
    const going = await sealed('blink', { own: 'only here', shared: 'in both' });
    const staying = await sealed('transient', { shared: 'in both', kept: 'only there' });
    await expire();
    assert.deepEqual((await store.operator.sweep({ dryRun: true })).marked_package_ids, [going]);
    assert.deepEqual(await store.operator.sweep(), { marked_package_ids: [going], marked_count: 1 });
    assert.deepEqual(await store.operator.planCollection(), {
      abandon_package_ids: [],
      collect_package_ids: [going],
      release_locations: 2,
      delete_objects: [{ backend_id: 'local', objects: 1, bytes: 'only here'.length }],
      delete_orphans: [],
      expire_uploads: 0,
      expire_write_sessions: 0,
      reclaim_drafts: 0,
    });
    const run = await store.operator.collect();
    assert.deepEqual(run.collected_package_ids, [going]);
    assert.equal(run.released_locations, 2);
    assert.equal(run.deleted_objects, 1);
    assert.equal(run.deleted_orphans, 0);
    assertBalanced(run.backends);
    assert.equal(await read(staying, 'shared'), 'in both');
    assert.equal((await registry.packages.get(going))!.status, 'garbage_collected');
    await assert.rejects(read(going, 'own'), (error) => isArtifactstoreError(error, 'package_collected'));
    await assert.rejects(read(going, 'shared'), (error) => isArtifactstoreError(error, 'package_collected'));
    const again = await store.operator.collect();
    assert.deepEqual(again.collected_package_ids, []);
    assert.equal(again.released_locations, 0);
  });

  it('takes what was held or extended after it was marked only when a sweep marked it again', async () => {
    const held = await sealed('blink', { f: 'held when it was due' });
    const extended = await sealed('blink', { f: 'extended when it was due' });
    await expire();
    assert.deepEqual((await store.operator.sweep()).marked_package_ids, [held, extended]);
    await registry.retention.extend(extended, { new_expires_at: null, reason: 'asked for' });
    assert.equal((await registry.retention.show(extended)).eligible_at, null);
    const hold = await registry.retention.hold(held, { reason: 'asked for' });
    assert.equal((await registry.retention.show(held)).eligible_at, null);
    assert.deepEqual((await store.operator.sweep()).marked_package_ids, []);
    await registry.retention.release(held, hold.id);
    assert.deepEqual((await store.operator.collect()).collected_package_ids, []);
    assert.equal(await read(held, 'f'), 'held when it was due');
    assert.deepEqual((await store.operator.sweep()).marked_package_ids, [held]);
    assert.deepEqual((await store.operator.collect()).collected_package_ids, [held]);
  });

  it('stores bytes that come back under a new generation', async () => {
    const first = await sealed('blink', { f: 'here, gone, here again' });
    const before = (await registry.files.find(first, 'f'))!.locations[0]!.object_key;
    await expire();
    await store.operator.sweep();
    await store.operator.collect();
    const second = await sealed('transient', { f: 'here, gone, here again' });
    const after = (await registry.files.find(second, 'f'))!.locations[0]!.object_key;
    assert.equal(after, `${before}.1`);
    assert.equal(await read(second, 'f'), 'here, gone, here again');
  });

  it('takes abandoned packages at once and unfinalized ones when they are old', async () => {
    const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
    await registry.files.add(record.id, { relative_path: 'f', body: body('given up') });
    await registry.packages.abandon(record.id);
    const open = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
    await registry.files.add(open.record.id, { relative_path: 'f', body: body('still being written') });
    const run = await store.operator.collect();
    assert.equal(run.deleted_objects, 1);
    assert.deepEqual(run.abandoned_package_ids, []);
    assert.equal(await read(open.record.id, 'f'), 'still being written');
    await assert.rejects(read(record.id, 'f'), (error) => isArtifactstoreError(error, 'package_collected'));

    const impatient = await store.reopen({ ARTIFACTSTORE_RETENTION_UNFINALIZED_SECONDS: '0' });
    await sleep(5);
    const held = await impatient.as('auditor').retention.hold(open.record.id, { reason: 'evidence' });
    assert.deepEqual((await impatient.operator.planCollection()).abandon_package_ids, []);
    assert.deepEqual((await impatient.operator.collect()).abandoned_package_ids, []);
    await impatient.as('auditor').retention.release(open.record.id, held.id);
    await sleep(5);
    const late = await impatient.operator.collect();
    assert.deepEqual(late.abandoned_package_ids, [open.record.id]);
    assert.equal((await impatient.as('x').packages.get(open.record.id))!.status, 'abandoned');
    assertBalanced(late.backends);
    store = await impatient.reopen();
    registry = store.as('producer');
  });

  it('clears away what stopped processes left: drafts, and bytes that no event knows', async () => {
    const drafts = join(localRoot(store.config), 'drafts');
    const [forgotten, beingWritten] = [randomUUID(), randomUUID()];
    await writeFile(join(drafts, forgotten), 'half a file');
    await utimes(join(drafts, forgotten), 1, 1);
    await writeFile(join(drafts, beingWritten), 'half a file');
    const id = await sealed('transient', { f: 'an object to copy' });
    const { locations, content_address } = (await registry.files.find(id, 'f'))!;
    const key = locations[0]!.object_key;
    await store.operator.settleHeld();
    // Published and never committed, as after a crash between the two: an ingest could still aim at this key.
    await writeFile(join(localRoot(store.config), `${key}.1`), 'an object to copy');
    const plan = await store.operator.planCollection();
    assert.deepEqual(plan.delete_orphans, [{ backend_id: 'local', object_keys: [`${key}.1`] }]);
    assert.equal(plan.reclaim_drafts, 1);
    const run = await store.operator.collect();
    assert.equal(run.reclaimed_drafts, 1);
    assert.equal(run.deleted_orphans, 1);
    assertBalanced(run.backends);
    assert.deepEqual(await readdir(drafts), [beingWritten]);
    const { items } = await registry.events.page({ event_type: 'v1.storage.object_burnt', limit: 500 });
    assert.deepEqual(items.at(-1)!.payload, { backend_id: 'local', content_address, generation: 1 });
    assert.equal(await read(id, 'f'), 'an object to copy');
  });

  it('collects from two runs at once, which share the work', async () => {
    const ids = [];
    for (let index = 0; index < 12; index++) ids.push(await sealed('blink', { a: `a ${index}`, b: `b ${index}`, shared: 'by all twelve' }));
    await expire();
    await Promise.all([store.operator.sweep(), store.operator.sweep()]);
    const runs = await Promise.all([store.operator.collect(), store.operator.collect()]);
    assert.deepEqual(runs.flatMap((run) => run.collected_package_ids).sort(), ids.sort());
    assert.equal(runs[0].released_locations + runs[1].released_locations, 36);
    assert.equal(runs[0].deleted_objects + runs[1].deleted_objects, 25);
    assertBalanced((await store.operator.collect()).backends);
  });
});

function assertBalanced(backends: Awaited<ReturnType<TestRegistry['operator']['collect']>>['backends']): void {
  for (const backend of backends) {
    assert.equal(backend.stored_bytes, backend.live_bytes, backend.backend_id);
    assert.equal(backend.stored_objects, backend.live_objects, backend.backend_id);
  }
}

async function* body(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}
