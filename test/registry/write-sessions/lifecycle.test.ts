import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { readdir, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { chunks, collect, refuses } from '../../../src/registry/conformance/samples.ts';
import type { Registry, WriteSession } from '../../../src/registry/REGISTRY.ts';
import { ageSession } from '../age.ts';
import { localRoot, openTestRegistry, type TestRegistry } from '../open-registry.ts';

describe('the life of a write session', () => {
  let store: TestRegistry;
  let registry: Registry;
  let sessions: Registry['writeSessions'];
  let number = 0;
  const quota = { maximum_bytes: 1000, maximum_packages: 2 };
  before(async () => {
    const environment = { ARTIFACTSTORE_WRITE_SESSIONS_OPEN: '30', ARTIFACTSTORE_SMALL_OBJECT_BYTES: '0' };
    store = await openTestRegistry(environment, {}, { quotaOf: (producer) => (producer.startsWith('bounded') ? quota : undefined) });
    registry = store.as('tester');
    sessions = registry.writeSessions;
  });
  after(() => store.close());

  const drafts = async () => (await readdir(join(localRoot(store.config), 'drafts'))).sort();
  const database = () => {
    assert.equal(store.config.database.kind, 'sqlite');
    const file = new DatabaseSync((store.config.database as { readonly path: string }).path);
    file.exec('pragma busy_timeout = 10000');
    return file;
  };
  async function open(
    texts: readonly string[],
    extra: { readonly producer?: string } = {},
    key: string = randomUUID(),
  ): Promise<WriteSession> {
    const objects = texts.map((text, index) => ({ name: `file-${index}`, sha256: hex(text), size_bytes: Buffer.byteLength(text) }));
    const request = { scope: 's', producer: 'p', subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 60, ...extra };
    return (await sessions.open({ ...request, objects }, { idempotencyKey: key })).record;
  }
  const text = () => `text ${number++} ${randomUUID()}`;
  const put = (id: string, index: number, body: string) => sessions.put(id, `file-${index}`, chunks(body));
  async function becomesEmpty(): Promise<void> {
    for (let waited = 0; waited < 30_000 && (await drafts()).length > 0; waited += 20) await pause(20);
    assert.deepEqual(await drafts(), []);
  }
  async function openOnes(): Promise<readonly [number, number]> {
    const asked = Date.now();
    let usage = await registry.usage();
    // An answer is kept for a moment.
    for (; Date.parse(usage.counted_at) < asked; usage = await registry.usage()) await pause(10);
    const { open_write_sessions, open_write_session_bytes } = usage.backends[0]!;
    return [open_write_sessions, open_write_session_bytes];
  }
  async function problems(id: string): Promise<unknown> {
    const error = await sessions.commit(id).then(
      () => assert.fail('it was committed'),
      (thrown: unknown) => thrown,
    );
    assert.ok(isArtifactstoreError(error, 'write_session_incomplete'), String(error));
    return error.info?.objects;
  }

  it('expires, says so, frees its key, and leaves nothing', async () => {
    const [one, two] = [text(), text()];
    const [count, bytes] = await openOnes();
    const { id } = await open([one, two], {}, 'expiring');
    assert.deepEqual(await openOnes(), [count + 1, bytes + one.length + two.length]);
    await put(id, 0, one);
    assert.equal((await drafts()).length, 1);
    await store.operator.sweep();
    assert.equal((await sessions.status(id))?.state, 'open');
    await ageSession(store.config, id, 1);
    await refuses('write_session_expired', put(id, 1, two));
    await refuses('write_session_expired', sessions.commit(id));
    await refuses('write_session_expired', sessions.abort(id));
    const next = await open([one], {}, 'expiring');
    assert.notEqual(next.id, id);
    const { expire_write_sessions, reclaim_drafts } = await store.operator.planCollection();
    assert.deepEqual([expire_write_sessions, reclaim_drafts], [1, 1]);
    await store.operator.sweep();
    assert.equal((await store.operator.planCollection()).expire_write_sessions, 0);
    const ended = await sessions.status(id);
    assert.deepEqual([ended?.state, ended?.objects], ['expired', []]);
    assert.match(ended?.reason ?? '', /was not committed by/);
    await becomesEmpty();
    await refuses('write_session_expired', put(id, 1, two));
    await sessions.abort(next.id);
    assert.deepEqual(await openOnes(), [count, bytes]);
  });

  it('takes no byte that comes after its end, and keeps none', async () => {
    const body = text();
    const { id } = await open([body]);
    const arrived = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const late = async function* () {
      yield Buffer.from(body.slice(0, 3));
      arrived.resolve();
      await ended.promise;
      yield Buffer.from(body.slice(3));
    };
    const putting = sessions.put(id, 'file-0', late());
    await arrived.promise;
    await sessions.abort(id);
    ended.resolve();
    await refuses('write_session_aborted', putting);
    await becomesEmpty();
  });

  it('leaves nothing of a sender that goes', async () => {
    const body = text();
    const { id } = await open([body]);
    const broken = async function* () {
      yield Buffer.from(body.slice(0, 3));
      throw new Error('the connection broke');
    };
    await assert.rejects(sessions.put(id, 'file-0', broken()), /the connection broke/);
    const stop = new AbortController();
    const endless = async function* () {
      yield Buffer.from(body.slice(0, 3));
      stop.abort();
      await pause(10);
      yield Buffer.from(body.slice(3));
    };
    await assert.rejects(sessions.put(id, 'file-0', endless(), { signal: stop.signal }));
    await becomesEmpty();
    assert.equal((await put(id, 0, body)).state, 'received');
    await sessions.abort(id);
    await becomesEmpty();
  });

  it('deletes what stopped processes left of no open session, and only that', async () => {
    const body = text();
    const { id } = await open([body]);
    await put(id, 0, body);
    const directory = join(localRoot(store.config), 'drafts');
    const left = `upload-${randomUUID()}-1`;
    await writeFile(join(directory, left), 'left by a killed process');
    const past = new Date(Date.now() - 10_000_000);
    for (const name of await drafts()) await utimes(join(directory, name), past, past);
    assert.equal((await store.operator.planCollection()).reclaim_drafts, 1);
    await store.operator.collect();
    assert.equal((await drafts()).length, 1);
    await sessions.commit(id);
    await becomesEmpty();
  });

  it('names what was damaged or collected meanwhile, and takes it again', async () => {
    const shared = text();
    const made = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
    await registry.files.add(made.record.id, { relative_path: 'a', body: chunks(shared) });
    const [one, two, three] = [text(), text(), text()];
    const { id, objects } = await open([shared, one, two, three]);
    assert.equal(objects[0]?.state, 'present');
    await put(id, 1, one);
    const directory = join(localRoot(store.config), 'drafts');
    const [changed] = await drafts();
    await put(id, 2, two);
    const cut = (await drafts()).find((name) => name !== changed);
    await put(id, 3, three);
    await writeFile(join(directory, changed!), one.toUpperCase());
    await truncate(join(directory, cut!), 3);
    await registry.packages.abandon(made.record.id);
    await store.operator.collect();
    assert.deepEqual(await problems(id), [
      { name: 'file-0', problem: 'gone' },
      { name: 'file-1', problem: 'damaged' },
      { name: 'file-2', problem: 'damaged' },
    ]);
    const open4 = await sessions.status(id);
    assert.deepEqual([open4?.state, open4?.package_id], ['open', null]);
    assert.deepEqual(
      open4?.objects.map(({ state }) => state),
      ['put', 'put', 'put', 'received'],
    );
    for (const [index, body] of [shared, one, two].entries()) await put(id, index, body);
    const { package_id } = await sessions.commit(id);
    const { items } = await registry.packages.list({ producer: 'p', limit: 1000 });
    assert.equal(items.filter(({ metadata, status }) => metadata.write_session === id && status === 'finalized').length, 1);
    assert.equal((await registry.packages.get(package_id))?.file_count, 4);
    await becomesEmpty();
  });

  it('seals what was announced and nothing else, whoever adds files to its package', async () => {
    const body = text();
    const { id } = await open([body]);
    await put(id, 0, body);
    using file = database();
    // As a commit leaves it that was cut off behind its first step.
    const made = await registry.packages.create({ name: 'n', producer: 'p', subject: 'u', retention_class: 'transient' });
    file.prepare("update write_sessions set state = 'committing', package_id = ? where id = ?").run(made.record.id, id);
    await registry.files.add(made.record.id, { relative_path: 'not announced', body: chunks('x') });
    await refuses('write_session_committing', put(id, 0, body));
    await refuses('precondition_failed', sessions.commit(id));
    assert.equal((await registry.packages.get(made.record.id))?.status, 'abandoned');
    const { package_id } = await sessions.commit(id);
    assert.notEqual(package_id, made.record.id);
    assert.equal((await registry.packages.get(package_id))?.file_count, 1);
  });

  it('ends with its package in one step, whatever is asked for', async () => {
    const body = text();
    const sealed = await open([body]);
    await put(sealed.id, 0, body);
    const { package_id } = await sessions.commit(sealed.id);
    using file = database();
    const cutOff = file.prepare("update write_sessions set state = 'committing' where id = ?");
    cutOff.run(sealed.id);
    // As a commit leaves it that was cut off before its last step: the package is there.
    await refuses('write_session_closed', sessions.abort(sealed.id));
    assert.equal((await sessions.status(sealed.id))?.state, 'committed');
    cutOff.run(sealed.id);
    await ageSession(store.config, sealed.id, 1);
    await store.operator.sweep();
    assert.deepEqual([(await sessions.status(sealed.id))?.state, (await sessions.commit(sealed.id)).package_id], ['committed', package_id]);
    const other = await open([text()]);
    const made = await registry.packages.create({ name: 'n', producer: 'p', subject: 'u', retention_class: 'transient' });
    file.prepare("update write_sessions set state = 'committing', package_id = ? where id = ?").run(made.record.id, other.id);
    await sessions.abort(other.id);
    assert.equal((await registry.packages.get(made.record.id))?.status, 'abandoned');
  });

  it('is refused when it is opened where it would exceed a quota, or there are too many', async () => {
    const producer = `bounded ${randomUUID()}`;
    await refuses('quota_exceeded', open(['x'.repeat(1001)], { producer }));
    const body = 'x'.repeat(1000);
    const fits = await open([body], { producer });
    if (fits.objects[0]?.state === 'put') await put(fits.id, 0, body);
    await sessions.commit(fits.id);
    await refuses('quota_exceeded', open(['y'], { producer }));
    const { items } = await registry.packages.list({ producer });
    assert.equal(items.length, 1);
    const many = store.as('somebody with many').writeSessions;
    const objects = [{ name: 'a', sha256: hex('a'), size_bytes: 1 }];
    const request = { scope: 's', producer: 'p', subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 60, objects };
    for (let index = 0; index < 30; index++) await many.open(request, { idempotencyKey: `many ${index}` });
    await assert.rejects(many.open(request, { idempotencyKey: 'one more' }), {
      code: 'too_many_write_sessions',
      info: { bound: 'open_write_sessions', limit: 30 },
    });
    assert.equal((await many.open(request, { idempotencyKey: 'many 7' })).created, false);
  });

  it('can be lost without a committed file', async () => {
    const body = text();
    const { id } = await open([body], {}, 'lost');
    await put(id, 0, body);
    const { package_id } = await sessions.commit(id);
    using file = database();
    file.exec('delete from write_sessions; delete from write_session_objects');
    await store.operator.replay();
    const read = await registry.files.open({ package_id, relative_path: 'file-0' });
    assert.equal(String(await collect(read!.body)), body);
    assert.equal(await sessions.status(id), undefined);
  });
});

function hex(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}
