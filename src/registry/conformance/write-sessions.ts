import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { Grant, Principal } from '../../kernel/access.ts';
import { isArtifactstoreError } from '../../kernel/error.ts';
import type { NewSessionObject, NewWriteSession, ObjectProblem, Registry, WriteSession } from '../REGISTRY.ts';
import { chunks, collect, longest, longestKey, patterned, refuses, samples, unique } from './samples.ts';
import { describePiecesOf } from './session-pieces.ts';

export interface OpenedForSessions {
  readonly registry: Registry;
  as(principal: Principal): Registry;
  close(): Promise<void>;
}

/** What a registry must do with sets of files that are handed over step by step. Run it from a test file. */
export function writeSessionsConformance(name: string, open: () => Promise<OpenedForSessions>): void {
  describe(`write sessions: ${name}`, () => {
    let opened: OpenedForSessions;
    before(async () => {
      opened = await open();
    });
    after(() => opened.close());
    const registry = (): Registry => opened.registry;
    const sessions = () => registry().writeSessions;
    const { create, add } = samples(registry);
    describePiecesOf(registry, (principal) => opened.as(principal));

    async function openOf(files: Files, extra: Partial<NewWriteSession> = {}): Promise<WriteSession> {
      const input = { ...request(), objects: announced(files), ...extra };
      return (await sessions().open(input, { idempotencyKey: randomUUID() })).record;
    }
    const put = (id: string, path: string, bytes: Uint8Array | string) => sessions().put(id, path, chunks(bytes));
    const problemsOf = async (promise: Promise<unknown>): Promise<readonly ObjectProblem[]> => {
      const error = await promise.then(
        () => assert.fail('it was committed'),
        (thrown: unknown) => thrown,
      );
      assert.ok(isArtifactstoreError(error, 'write_session_incomplete'), String(error));
      return error.info?.objects as readonly ObjectProblem[];
    };

    it('makes one sealed package of what was announced and came', async () => {
      const files = { 'bin/app.tar': patterned(3_000_000), empty: new Uint8Array(), 'notes ü.txt': Buffer.from(unique('notes')) };
      const input = { ...request(), objects: announced(files) };
      const { record, created } = await sessions().open(input, { idempotencyKey: 'k' });
      assert.equal(created, true);
      assert.deepEqual([record.state, record.reason, record.package_id, record.object_count], ['open', null, null, 3]);
      for (const [path, bytes] of Object.entries(files))
        if (record.objects.find((each) => each.name === path)?.state === 'put')
          assert.equal((await put(record.id, path, bytes)).state, 'received');
      assert.equal((await registry().packages.list({ producer: input.producer })).items.length, 0);
      assert.equal((await registry().files.withDigest(address(files['bin/app.tar']))).items.length, 0);
      const committed = await sessions().commit(record.id);
      const made = await registry().packages.get(committed.package_id);
      assert.deepEqual(
        [made?.status, made?.name, made?.producer, made?.subject, made?.file_count, made?.manifest_digest],
        ['finalized', input.namespace, input.producer, input.subject, 3, committed.manifest_digest],
      );
      assert.deepEqual(made?.metadata, { scope: input.scope, write_session: record.id });
      for (const [path, bytes] of Object.entries(files)) {
        const read = await registry().files.open({ package_id: committed.package_id, relative_path: path });
        assert.deepEqual(await collect(read!.body), Buffer.from(bytes));
        assert.deepEqual([committed.objects[path]?.sha256, committed.objects[path]?.size_bytes], [hex(bytes), bytes.length]);
      }
      assert.deepEqual(await sessions().commit(record.id), committed);
      const again = await sessions().open(input, { idempotencyKey: 'k' });
      assert.deepEqual([again.created, again.record.state, again.record.package_id], [false, 'committed', committed.package_id]);
      assert.equal((await registry().packages.list({ producer: input.producer })).items.length, 1);
    });

    it('says what it has already, and wants only the rest', async () => {
      const known = unique('known');
      await add((await create()).id, 'there', known);
      const session = await openOf({ known: Buffer.from(known), new: Buffer.from(unique('new')) });
      assert.deepEqual(statesOf(session), { known: 'present', new: 'put' });
      // Of another length they are other bytes.
      const wrong = await openOf({}, { objects: [{ name: 'known', sha256: hex(Buffer.from(known)), size_bytes: 1 }] });
      assert.deepEqual(statesOf(wrong), { known: 'put' });
    });

    it('gives the same session to the same request under the same key, and refuses another', async () => {
      const texts = { producer: longest(256), scope: longest(256) };
      const options = { idempotencyKey: longestKey() };
      const input = { ...request(), ...texts, objects: announced({ a: Buffer.from('a'), b: Buffer.from('b') }) };
      const { record } = await sessions().open(input, options);
      const turned = { ...input, objects: input.objects.toReversed() };
      assert.deepEqual(await sessions().open(turned, options), { record, created: false });
      await refuses('idempotency_conflict', sessions().open({ ...input, namespace: 'other' }, options));
      const elsewhere = await sessions().open({ ...input, scope: 'other' }, options);
      assert.equal(elsewhere.created, true);
      await sessions().abort(record.id);
      const next = await sessions().open({ ...input, namespace: 'other' }, options);
      assert.equal(next.created, true);
      assert.notEqual(next.record.id, record.id);
    });

    it('refuses bytes that are not those that were announced, and takes the right ones after them', async () => {
      const bytes = Buffer.from(unique('right'));
      const { id } = await openOf({ file: bytes });
      await refuses('digest_mismatch', put(id, 'file', Buffer.alloc(bytes.length)));
      await refuses('length_mismatch', put(id, 'file', bytes.subarray(1)));
      await refuses('object_too_long', put(id, 'file', Buffer.concat([bytes, Buffer.alloc(1)])));
      await refuses('length_mismatch', sessions().put(id, 'file', chunks(bytes.subarray(1)), { size_bytes: bytes.length - 1 }));
      assert.deepEqual(await problemsOf(sessions().commit(id)), [{ name: 'file', problem: 'missing' }]);
      await put(id, 'file', bytes);
      await put(id, 'file', bytes);
      await refuses('digest_mismatch', put(id, 'file', Buffer.alloc(bytes.length)));
      await sessions().commit(id);
    });

    it('names everything that is missing at once', async () => {
      const files = Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`file-${index}`, Buffer.from(unique('text'))]));
      const { id } = await openOf(files);
      await put(id, 'file-2', files['file-2']!);
      assert.deepEqual(
        await problemsOf(sessions().commit(id)),
        [0, 1, 3, 4].map((index) => ({ name: `file-${index}`, problem: 'missing' })),
      );
      assert.equal((await sessions().status(id))?.state, 'open');
    });

    it('takes nothing for another session, nothing after the commit, and nothing after its end', async () => {
      const bytes = Buffer.from(unique('bytes'));
      const session = await openOf({ file: bytes });
      await refuses('write_session_object_not_found', put(session.id, 'other', bytes));
      await refuses('write_session_not_found', put(randomUUID(), 'file', bytes));
      await refuses('invalid_path', put(session.id, '../file', bytes));
      await put(session.id, 'file', bytes);
      await sessions().commit(session.id);
      await refuses('write_session_closed', put(session.id, 'file', bytes));
      await refuses('write_session_closed', sessions().abort(session.id));
      const aborted = await openOf({ file: bytes.subarray(1) });
      await sessions().abort(aborted.id);
      await sessions().abort(aborted.id);
      await refuses('write_session_aborted', put(aborted.id, 'file', bytes.subarray(1)));
      await refuses('write_session_aborted', sessions().commit(aborted.id));
      const now = await sessions().status(aborted.id);
      assert.deepEqual([now?.state, now?.objects], ['aborted', []]);
      assert.match(now?.reason ?? '', /aborted/);
      for (const id of [randomUUID()]) {
        assert.equal(await sessions().status(id), undefined);
        await refuses('write_session_not_found', sessions().commit(id));
        await refuses('write_session_not_found', sessions().abort(id));
      }
    });

    it('refuses what it can never become', async () => {
      const object = { name: 'a', sha256: hex(Buffer.from('a')), size_bytes: 1 };
      const refused = (code: Parameters<typeof refuses>[0], extra: Partial<NewWriteSession>) =>
        refuses(code, sessions().open({ ...request(), objects: [object], ...extra }, { idempotencyKey: randomUUID() }));
      await refused('duplicate_name', { objects: [object, object] });
      for (const path of ['../a', '/a', 'a//b', '', 'a\\b', 'a/./b', 'a\u0000'])
        await refused('invalid_path', { objects: [{ ...object, name: path }] });
      await refused('invalid_digest', { objects: [{ ...object, sha256: 'A'.repeat(64) }] });
      await refused('invalid_size', { objects: [{ ...object, size_bytes: -1 }] });
      await refused('write_session_empty', { objects: [] });
      await refused('invalid_ttl', { ttl_seconds: 59 });
      await refused('invalid_ttl', { ttl_seconds: 604_801 });
      await refused('unknown_retention_class', { retention_class: 'none' });
      await refused('write_session_too_large', { objects: [{ ...object, size_bytes: 2 ** 50 }] });
      const many = Array.from({ length: 10_001 }, (_, index) => ({ ...object, name: String(index) }));
      await refused('too_many_files', { objects: many });
    });

    it('commits once, however many commit at once', async () => {
      const files = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`file-${index}`, Buffer.from(unique('text'))]));
      const session = await openOf(files);
      for (const [path, bytes] of Object.entries(files)) await put(session.id, path, bytes);
      const answers = await Promise.all([1, 2, 3, 4].map(() => sessions().commit(session.id)));
      for (const each of answers) assert.deepEqual(each, answers[0]);
      const { items } = await registry().packages.list({ producer: session.producer });
      assert.deepEqual(
        items.map(({ id, status }) => [id, status]),
        [[answers[0]!.package_id, 'finalized']],
      );
    });

    it('is continued by who may write to its producer, and is not there for who may not read it', async () => {
      const bytes = Buffer.from(unique('bytes'));
      const session = await openOf({ file: bytes });
      const grant = (role: Grant['role'], producer: string): Grant => ({ role, producers: [{ exact: producer }] });
      const of = (...grants: Grant[]) => opened.as({ actor: 'who', share: 'who', grants }).writeSessions;
      const stranger = of(grant('writer', 'another'));
      const input = { ...request(), producer: session.producer, objects: announced({ file: bytes }) };
      assert.equal(await stranger.status(session.id), undefined);
      await refuses('write_session_not_found', stranger.put(session.id, 'file', chunks(bytes)));
      await refuses('write_session_not_found', stranger.commit(session.id));
      await refuses('write_session_not_found', stranger.abort(session.id));
      await refuses('forbidden', stranger.open(input, { idempotencyKey: 'mine' }));
      const reader = of(grant('reader', session.producer));
      for (const act of [
        () => reader.status(session.id),
        () => reader.put(session.id, 'file', chunks(bytes)),
        () => reader.commit(session.id),
        () => reader.abort(session.id),
        () => reader.open(input, { idempotencyKey: 'mine' }),
      ])
        await refuses('forbidden', act());
      const writer = of(grant('writer', session.producer));
      await writer.put(session.id, 'file', chunks(bytes));
      assert.equal((await writer.commit(session.id)).objects.file?.sha256, hex(bytes));
    });

    it('is listed while it is open, without its objects, to who may write to its producer', async () => {
      const files = { file: Buffer.from(unique('bytes')) };
      const producer = unique('listed');
      const [first, aborted, third] = [
        await openOf(files, { producer }),
        await openOf(files, { producer }),
        await openOf(files, { producer }),
      ];
      await sessions().abort(aborted.id);
      const of = (...grants: Grant[]) => opened.as({ actor: 'who', share: 'who', grants }).writeSessions;
      const writer = of({ role: 'writer', producers: [{ exact: producer }] });
      const { objects: _, ...listed } = first;
      const page = await writer.list({ limit: 1 });
      assert.deepEqual(page.items, [listed]);
      const rest = await writer.list({ limit: 1, cursor: page.next_cursor! });
      assert.deepEqual([rest.items.map(({ id }) => id), rest.next_cursor], [[third.id], null]);
      assert.deepEqual(await of({ role: 'reader', producers: [{ exact: producer }] }).list(), { items: [], next_cursor: null });
      assert.deepEqual(await of({ role: 'writer', producers: [{ glob: 'another*' }] }).list(), { items: [], next_cursor: null });
      const all = (await sessions().list({ limit: 1000 })).items.filter((each) => each.producer === producer);
      assert.deepEqual(all, (await writer.list()).items);
      await put(third.id, 'file', files.file);
      await sessions().commit(third.id);
      assert.deepEqual((await writer.list()).items, [listed]);
      await refuses('invalid_cursor', writer.list({ cursor: 'none' }));
    });

    it('is made only of what whoever commits it may read', async () => {
      const secret = unique('secret');
      const source = await create();
      await add(source.id, 'there', secret);
      const producer = unique('own');
      const own: Grant = { role: 'writer', producers: [{ exact: producer }] };
      const reading: Grant = { role: 'reader', producers: [{ exact: source.producer }] };
      const sessionsOf = (...grants: Grant[]) => opened.as({ actor: 'who', share: 'who', grants }).writeSessions;
      const input = { ...request(), producer, objects: announced({ known: Buffer.from(secret) }) };
      const { record } = await sessionsOf(own, reading).open(input, { idempotencyKey: randomUUID() });
      assert.deepEqual(statesOf(record), { known: 'present' });
      assert.deepEqual(await problemsOf(sessionsOf(own).commit(record.id)), [{ name: 'known', problem: 'gone' }]);
      await sessionsOf(own).put(record.id, 'known', chunks(secret));
      await sessionsOf(own).commit(record.id);
      assert.equal((await sessionsOf(own).status(record.id))?.state, 'committed');
    });

    it('does not say that bytes are there to who may not read them', async () => {
      const secret = unique('secret');
      await add((await create()).id, 'there', secret);
      const producer = unique('own');
      const writer = opened.as({ actor: 'who', share: 'who', grants: [{ role: 'writer', producers: [{ exact: producer }] }] });
      const input = { ...request(), producer, objects: announced({ known: Buffer.from(secret) }) };
      const { record } = await writer.writeSessions.open(input, { idempotencyKey: randomUUID() });
      assert.deepEqual(statesOf(record), { known: 'put' });
    });
  });
}

type Files = Readonly<Record<string, Uint8Array>>;

function request(): Omit<NewWriteSession, 'objects'> {
  return {
    scope: 'deployment_artifacts',
    producer: unique('producer'),
    subject: 'app',
    namespace: 'release-7',
    retention_class: 'transient',
    ttl_seconds: 3600,
  };
}

function announced(files: Files): readonly NewSessionObject[] {
  return Object.entries(files).map(([name, bytes]) => ({
    name,
    sha256: hex(bytes),
    size_bytes: bytes.length,
    media_type: 'application/x-test',
  }));
}

function statesOf({ objects }: WriteSession): Readonly<Record<string, string>> {
  return Object.fromEntries(objects.map(({ name, state }) => [name, state]));
}

function hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function address(bytes: Uint8Array): string {
  return `sha256:${hex(bytes)}`;
}
