import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { isArtifactstoreError } from '../../../../src/kernel/error.ts';
import { chunks, patterned } from '../../../../src/registry/conformance/samples.ts';
import { ageSession } from '../../age.ts';
import { type Bounded, openBounded } from '../../bounded.ts';

const bodies = [patterned(300), patterned(301)];

/** A session that announces two objects of 601 bytes together. */
async function openSession({ registry }: Bounded, count = 2): Promise<string> {
  const objects = bodies.slice(0, count).map((bytes, index) => {
    return { name: `${index}`, sha256: createHash('sha256').update(bytes).digest('hex'), size_bytes: bytes.length };
  });
  const input = { scope: 's', producer: 'near', subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 60, objects };
  return (await registry.writeSessions.open(input, { idempotencyKey: randomUUID() })).record.id;
}

async function commit({ registry: { writeSessions } }: Bounded, id: string): Promise<string> {
  for (const [index, bytes] of bodies.entries()) await writeSessions.put(id, `${index}`, chunks(bytes));
  return (await writeSessions.commit(id)).package_id;
}

const push = ({ registry }: Bounded, id: string, size: number) =>
  registry.files.add(id, { relative_path: `of ${size}`, body: chunks(patterned(size)) });

function exceeded(info: object): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isArtifactstoreError(error, 'quota_exceeded'), String(error));
    assert.match(error.message, /write sessions hold/);
    assert.deepEqual(error.info, { producer: 'near', ...info });
    return true;
  };
}

describe('what a write session announced', () => {
  it('is held of the quota from its opening to its commit, and is no more then than its files', async () => {
    await using store = await openBounded();
    store.bound('near', { maximum_bytes: 1000 });
    const id = await store.create('near');
    const session = await openSession(store);
    const over = (asked: number) => exceeded({ maximum_bytes: 1000, used: 0, reserved: 601, asked });
    await assert.rejects(push(store, id, 400), over(400));
    await assert.rejects(openSession(store), over(601));
    await push(store, id, 399);
    await assert.rejects(push(store, id, 1), exceeded({ maximum_bytes: 1000, used: 399, reserved: 601, asked: 1 }));
    const made = await commit(store, session);
    await assert.rejects(push(store, id, 1), {
      code: 'quota_exceeded',
      info: { producer: 'near', maximum_bytes: 1000, used: 1000, asked: 1 },
    });
    await store.registry.packages.get(made).then((found) => assert.equal(found?.total_bytes, 601));
  });

  it('is free again when it is aborted, and when its time has passed, swept or not', async () => {
    await using store = await openBounded();
    store.bound('near', { maximum_bytes: 601 });
    const id = await store.create('near');
    await store.registry.writeSessions.abort(await openSession(store));
    const expiring = await openSession(store);
    await assert.rejects(push(store, id, 1), { code: 'quota_exceeded' });
    await ageSession({ database: { kind: 'sqlite', path: join(store.directory, 'artifactstore.db') } }, expiring, 1);
    await push(store, id, 1);
    await assert.rejects(openSession(store), {
      code: 'quota_exceeded',
      info: { producer: 'near', maximum_bytes: 601, used: 1, asked: 601 },
    });
    await openSession(store, 1);
  });

  it('counts once, while its package is half filled and when its commit is taken back', async () => {
    await using store = await openBounded();
    store.bound('near', { maximum_bytes: 1000 });
    const [first] = bodies;
    const lent = await store.create('other');
    await store.registry.files.add(lent, { relative_path: 'a', body: chunks(first!) });
    const session = await openSession(store);
    await store.registry.writeSessions.put(session, '1', chunks(bodies[1]!));
    // At the commit the package is gone from which one object was to come, and the other one is in its own by then.
    await store.registry.packages.abandon(lent);
    await store.operator.collect();
    await assert.rejects(store.registry.writeSessions.commit(session), { code: 'write_session_incomplete' });
    const id = await store.create('near');
    await assert.rejects(push(store, id, 400), exceeded({ maximum_bytes: 1000, used: 0, reserved: 601, asked: 400 }));
    await push(store, id, 399);
    await commit(store, session);
  });

  it('has a place for its package too', async () => {
    await using store = await openBounded();
    store.bound('near', { maximum_packages: 2 });
    const session = await openSession(store);
    await store.create('near');
    await assert.rejects(store.create('near'), exceeded({ maximum_packages: 2, used: 1, reserved: 1, asked: 1 }));
    await assert.rejects(openSession(store), { code: 'quota_exceeded' });
    await commit(store, session);
    await assert.rejects(store.create('near'), { code: 'quota_exceeded' });
  });

  it('is not lost to who puts other files into its package', async () => {
    await using store = await openBounded();
    store.bound('near', { maximum_bytes: 700 });
    const session = await openSession(store);
    for (const [index, bytes] of bodies.entries()) await store.registry.writeSessions.put(session, `${index}`, chunks(bytes));
    // As a commit leaves it that was cut off behind its first step.
    const id = await store.create('near');
    using file = new DatabaseSync(join(store.directory, 'artifactstore.db'));
    file.prepare("update write_sessions set state = 'committing', package_id = ? where id = ?").run(id, session);
    await push(store, id, 500);
    await assert.rejects(store.registry.writeSessions.commit(session), { code: 'quota_exceeded' });
    assert.equal((await store.registry.packages.get(id))?.status, 'abandoned');
    assert.equal((await store.registry.writeSessions.status(session))?.state, 'open');
    await store.registry.writeSessions.commit(session);
  });

  it('refuses a commit only where the quota was lowered meanwhile, which can be tried once more', async () => {
    await using store = await openBounded();
    store.bound('near', { maximum_bytes: 1000 });
    const session = await openSession(store);
    store.bound('near', { maximum_bytes: 600 });
    await assert.rejects(commit(store, session), { code: 'quota_exceeded' });
    store.bound('near', { maximum_bytes: 601 });
    await store.registry.writeSessions.commit(session);
  });
});
