import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { Principal } from '../../kernel/access.ts';
import { isArtifactstoreError } from '../../kernel/error.ts';
import type { File, Package, Registry, Upload, Uploads } from '../REGISTRY.ts';
import { breaking, chunks, holdsBytes, patterned, refuses, samples, unique, waiting } from './samples.ts';
import { describeBlocksOf } from './upload-blocks.ts';
import { describeListOf } from './upload-list.ts';
import { describePartsOf } from './upload-parts.ts';
import { describeWholeOf } from './upload-whole.ts';

export interface OpenedForUploads {
  readonly registry: Registry;
  as(principal: Principal): Registry;
  close(): Promise<void>;
}

/** What a registry that takes uploads in pieces must do. Run it from a test file. */
export function uploadsConformance(name: string, open: () => Promise<OpenedForUploads>): void {
  describe(`uploads: ${name}`, () => {
    let opened: OpenedForUploads;
    const registry = () => opened.registry;
    const uploads = (): Uploads => registry().uploads!;
    const { create } = samples(registry);
    describePartsOf(registry);
    describeBlocksOf(registry);
    describeWholeOf(registry);
    describeListOf(registry, (principal) => opened.as(principal));
    before(async () => {
      opened = await open();
    });
    after(() => opened.close());
    async function begin(size: number | undefined, path = 'dir/file'): Promise<{ readonly upload: Upload; readonly package: Package }> {
      const made = await create();
      const target = { package_id: made.id, relative_path: path, media_type: 'application/x-test' };
      return { package: made, upload: await uploads().begin({ ...target, ...(size === undefined ? {} : { size_bytes: size }) }) };
    }

    const assertHolds = (file: File, bytes: Uint8Array): Promise<void> => holdsBytes(registry(), file, bytes);

    async function fileOf({ file_id }: Upload): Promise<File> {
      assert.ok(file_id !== null);
      return (await registry().files.get(file_id))!;
    }

    it('makes a file of bytes that come in pieces, with the last one', async () => {
      for (const [size, ...ends] of [
        [0, 0],
        [1, 1],
        [5, 0, 2, 2, 5],
        [3_500_000, 1_048_576, 1_048_577, 3_000_000, 3_500_000],
      ] as const) {
        const bytes = patterned(size);
        const { upload, package: made } = await begin(size, `size-${size}`);
        assert.deepEqual([upload.state, upload.offset_bytes, upload.size_bytes, upload.file_id], ['open', 0, size, null]);
        let offset = 0;
        let last: Upload | undefined;
        for (const end of ends) {
          last = await uploads().append(upload.id, offset, chunks(bytes.subarray(offset, end)), { body_bytes: end - offset });
          offset = end;
          assert.equal(last.offset_bytes, offset);
          assert.deepEqual(await uploads().status(upload.id), last);
        }
        assert.equal(last!.state, 'finished');
        const file = await fileOf(last!);
        assert.deepEqual([file.package_id, file.relative_path, file.media_type], [made.id, `size-${size}`, 'application/x-test']);
        await assertHolds(file, bytes);
        assert.deepEqual(await uploads().finish(upload.id), { record: file, created: true });
        await refuses('upload_finished', uploads().append(upload.id, offset, chunks('more')));
        await refuses('upload_finished', uploads().finish(upload.id, { package_id: made.id, relative_path: 'elsewhere' }));
        await refuses('upload_finished', uploads().abandon(upload.id));
      }
    });

    it('names the file at its end, where it was not named before', async () => {
      const bytes = patterned(100_000);
      const upload = await uploads().begin({});
      assert.deepEqual([upload.package_id, upload.relative_path, upload.size_bytes], [null, null, null]);
      await uploads().append(upload.id, 0, chunks(bytes.subarray(0, 70_000)));
      await uploads().append(upload.id, 70_000, chunks(bytes.subarray(70_000)));
      const { id } = await create();
      await refuses('invalid_value', uploads().finish(upload.id));
      await refuses('invalid_value', uploads().finish(upload.id, { package_id: id }));
      await refuses('package_not_found', uploads().finish(upload.id, { package_id: randomUUID(), relative_path: 'a' }));
      const target = { package_id: id, relative_path: 'a', media_type: 'text/plain', annotations: { mode: 'executable' } };
      await refuses('upload_length_mismatch', uploads().finish(upload.id, { ...target, size_bytes: 99_999 }));
      await refuses('digest_mismatch', uploads().finish(upload.id, { ...target, digests: new Map([['md5', new Uint8Array(16)]]) }));
      const { record, created } = await uploads().finish(upload.id, { ...target, size_bytes: 100_000 });
      assert.deepEqual([created, record.media_type, record.annotations], [true, 'text/plain', { mode: 'executable' }]);
      await assertHolds(record, bytes);
      assert.deepEqual(await uploads().finish(upload.id, target), { record, created: true });
    });

    it('holds what was declared', async () => {
      const bytes = patterned(70_000);
      const digests = new Map([['sha256', new Uint8Array(createHash('sha256').update(bytes).digest())]]);
      const { id } = await create();
      const good = await uploads().begin({ package_id: id, relative_path: 'good', size_bytes: 70_000, digests });
      await uploads().append(good.id, 0, chunks(bytes.subarray(0, 69_999)));
      await refuses('upload_incomplete', uploads().finish(good.id));
      for (const other of [{ relative_path: 'x' }, { digests: new Map([['sha256', bytes.subarray(0, 32)]]) }])
        await refuses('invalid_value', uploads().finish(good.id, other));
      await refuses('upload_length_mismatch', uploads().append(good.id, 69_999, chunks('ab'), { body_bytes: 2 }));
      await refuses('upload_length_mismatch', uploads().append(good.id, 69_999, chunks('ab')));
      await refuses('upload_length_mismatch', uploads().append(good.id, 69_999, chunks('a'), { size_bytes: 80_000 }));
      await refuses('upload_length_mismatch', uploads().append(good.id, 69_999, chunks(''), { last: true }));
      assert.equal((await uploads().status(good.id))!.offset_bytes, 69_999);
      const wrong = await uploads().begin({ package_id: id, relative_path: 'wrong', size_bytes: 70_000, digests });
      await refuses('digest_mismatch', uploads().append(wrong.id, 0, chunks(Buffer.alloc(70_000))));
      const kept = (await uploads().status(wrong.id))!;
      assert.deepEqual([kept.state, kept.offset_bytes], ['open', 70_000]);
      await refuses('digest_mismatch', uploads().finish(wrong.id));
      assert.equal(await registry().files.find(id, 'wrong'), undefined);
      const done = await uploads().append(good.id, 69_999, chunks(bytes.subarray(69_999)));
      await assertHolds(await fileOf(done), bytes);
      await refuses('invalid_value', uploads().begin({ digests: new Map([['crc32', new Uint8Array(4)]]) }));
      await refuses('invalid_value', uploads().begin({ package_id: id }));
      await refuses('invalid_value', uploads().begin({ size_bytes: -1 }));
      await refuses('invalid_path', uploads().begin({ package_id: id, relative_path: '/a' }));
    });

    it('learns its length while it comes', async () => {
      const { upload } = await begin(undefined);
      await uploads().append(upload.id, 0, chunks('abc'));
      assert.equal((await uploads().append(upload.id, 3, chunks('def'), { size_bytes: 9 })).size_bytes, 9);
      const done = await uploads().append(upload.id, 6, chunks('ghi'), { last: true });
      await assertHolds(await fileOf(done), Buffer.from('abcdefghi'));
      const other = (await begin(undefined)).upload;
      await uploads().append(other.id, 0, chunks('abc'));
      await refuses('upload_length_mismatch', uploads().append(other.id, 3, chunks(''), { size_bytes: 2 }));
      assert.equal((await uploads().append(other.id, 3, chunks(''), { last: true })).state, 'finished');
    });

    it('says where it is to who begins elsewhere', async () => {
      const { upload } = await begin(10);
      await uploads().append(upload.id, 0, chunks('abcd'));
      for (const offset of [0, 3, 5, 10])
        await assert.rejects(uploads().append(upload.id, offset, chunks('x')), (error) => {
          assert.ok(isArtifactstoreError(error, 'upload_offset_mismatch'), String(error));
          assert.equal(error.info?.offset_bytes, 4);
          return true;
        });
      assert.equal((await uploads().status(upload.id))!.offset_bytes, 4);
    });

    it('keeps what came of a body that breaks off', async () => {
      const bytes = patterned(2_500_000);
      const { upload } = await begin(bytes.length);
      let offset = 0;
      for (const end of [1, 70_000, 2_000_000]) {
        await assert.rejects(uploads().append(upload.id, offset, breaking(bytes.subarray(offset, end))), /the connection broke/);
        offset = (await uploads().status(upload.id))!.offset_bytes;
        assert.equal(offset, end);
      }
      const stop = new AbortController();
      await refuses(
        'cancelled',
        uploads().append(upload.id, offset, stopping(bytes.subarray(offset, offset + 10), stop), { signal: stop.signal }),
      );
      offset = (await uploads().status(upload.id))!.offset_bytes;
      assert.equal(offset, 2_000_010);
      await assertHolds(await fileOf(await uploads().append(upload.id, offset, chunks(bytes.subarray(offset)))), bytes);
    });

    it('takes a body whole or not at all where its own digest comes with it', async () => {
      const { upload } = await begin(6);
      const digests = new Map([['sha256', new Uint8Array(createHash('sha256').update('abc').digest())]]);
      await refuses('digest_mismatch', uploads().append(upload.id, 0, chunks('abx'), { digests }));
      await assert.rejects(uploads().append(upload.id, 0, breaking(Buffer.from('ab')), { digests }));
      assert.equal((await uploads().status(upload.id))!.offset_bytes, 0);
      await uploads().append(upload.id, 0, chunks('abc'), { digests });
      await assertHolds(await fileOf(await uploads().append(upload.id, 3, chunks('def'))), Buffer.from('abcdef'));
    });

    it('has one writer: the second ends the first, or is refused', async () => {
      const { upload } = await begin(6);
      const first = waiting('abc');
      const appended = uploads().append(upload.id, 0, first.body);
      appended.catch(() => undefined);
      await first.reached;
      await refuses('upload_locked', uploads().append(upload.id, 0, chunks('x'), { policy: 'locked' }));
      const settled = (await uploads().status(upload.id, { settle: true }))!;
      const done = uploads().append(upload.id, settled.offset_bytes, chunks('abcdef'.slice(settled.offset_bytes)));
      first.end();
      await refuses('upload_superseded', appended);
      await assertHolds(await fileOf(await done), Buffer.from('abcdef'));
    });

    it('never takes a byte of a writer that is late', async () => {
      const bytes = patterned(300_000);
      const { upload } = await begin(bytes.length);
      await uploads().append(upload.id, 0, chunks(bytes.subarray(0, 100_000)));
      const late = waiting(Buffer.alloc(100_000, 1));
      const appended = uploads().append(upload.id, 100_000, late.body);
      appended.catch(() => undefined);
      await late.reached;
      const { offset_bytes } = (await uploads().status(upload.id, { settle: true }))!;
      // What came of it may count, and then is what it sent.
      const begun = Buffer.concat([bytes.subarray(0, 100_000), Buffer.alloc(100_000, 1)]).subarray(0, offset_bytes);
      const rest = bytes.subarray(offset_bytes);
      const done = await uploads().append(upload.id, offset_bytes, chunks(rest));
      late.end();
      await refuses('upload_superseded', appended);
      await assertHolds(await fileOf(done), Buffer.concat([begun, rest]));
    });

    it('is the same for two that finish it at once', async () => {
      const { upload } = await begin(undefined);
      await uploads().append(upload.id, 0, chunks('the bytes'));
      const answers = await Promise.all([1, 2, 3, 4].map(() => uploads().finish(upload.id)));
      assert.equal(new Set(answers.map(({ record }) => record.id)).size, 1);
      assert.equal((await uploads().finish(upload.id)).record.id, answers[0]!.record.id);
      await assertHolds(answers[0]!.record, Buffer.from('the bytes'));
    });

    it('joins what is there already, and is refused like any other file', async () => {
      const text = unique('joined');
      const { id } = await create();
      const target = { package_id: id, relative_path: 'a' };
      const [first, again, other] = [await uploads().begin(target), await uploads().begin(target), await uploads().begin(target)];
      for (const { id: each } of [first, again]) await uploads().append(each, 0, chunks(text));
      const { record } = await uploads().finish(first.id);
      assert.deepEqual(await uploads().finish(again.id), { record, created: false });
      await uploads().append(other.id, 0, chunks('other'));
      await refuses('path_conflict', uploads().finish(other.id));
      assert.deepEqual([(await uploads().status(other.id))!.state, (await uploads().status(other.id))!.offset_bytes], ['open', 5]);
      const elsewhere = await uploads().begin({});
      await uploads().append(elsewhere.id, 0, chunks('late'));
      await registry().packages.finalize(id);
      await refuses('package_not_open', uploads().finish(elsewhere.id, { package_id: id, relative_path: 'late' }));
      await refuses('package_not_open', uploads().begin({ package_id: id, relative_path: 'late' }));
    });

    it('is given up', async () => {
      const { upload } = await begin(10);
      await uploads().append(upload.id, 0, chunks('abc'));
      await uploads().abandon(upload.id);
      await uploads().abandon(upload.id);
      assert.equal(await uploads().status(upload.id), undefined);
      await assert.rejects(uploads().append(upload.id, 3, chunks('d')), (error) => {
        assert.ok(isArtifactstoreError(error, 'upload_not_found'), String(error));
        assert.deepEqual(error.info, { state: 'abandoned' });
        return true;
      });
      const never = randomUUID();
      assert.equal(await uploads().status(never), undefined);
      await refuses('upload_not_found', uploads().append(never, 0, chunks('a')));
      await refuses('upload_not_found', uploads().finish(never));
      await refuses('upload_not_found', uploads().abandon(never));
      await refuses('invalid_id', uploads().status('x'));
    });

    it('belongs to who began it', async () => {
      const made = await create();
      const grants = [{ role: 'writer', producers: [{ exact: made.producer }] }] as const;
      const person = (actor: string): Principal => ({ actor, share: actor, grants });
      const [own, foreign] = [unique('own'), unique('foreign')];
      const mine = () => opened.as(person(own)).uploads!;
      const theirs = () => opened.as(person(foreign)).uploads!;
      const upload = await mine().begin({ package_id: made.id, relative_path: 'a' });
      assert.equal(upload.created_by, own);
      assert.equal(await theirs().status(upload.id), undefined);
      await refuses('upload_not_found', theirs().append(upload.id, 0, chunks('x')));
      await refuses('upload_not_found', theirs().finish(upload.id));
      await refuses('upload_not_found', theirs().abandon(upload.id));
      // Short and whole, it would become its file at once.
      const short = await mine().begin({ package_id: made.id, relative_path: 'short', size_bytes: 1 });
      await refuses('upload_not_found', theirs().append(short.id, 0, chunks('x'), { body_bytes: 1 }));
      await mine().append(upload.id, 0, chunks('mine'));
      const unnamed = await mine().begin({});
      const ended = await mine().begin({});
      await mine().abandon(ended.id);
      await refuses('upload_not_found', theirs().abandon(ended.id));
      const part = await mine().begin({ size_bytes: 1 });
      await mine().append(part.id, 0, chunks('x'));
      await refuses('upload_not_found', theirs().begin({ package_id: made.id, relative_path: 'joined', parts: [part.id] }));
      // Whose right is gone meanwhile ends nothing.
      const reader = opened.as({ actor: own, share: own, grants: [{ role: 'reader', producers: [{ exact: made.producer }] }] }).uploads!;
      await refuses('forbidden', reader.append(upload.id, 4, chunks('x')));
      await refuses('forbidden', reader.append(unnamed.id, 0, chunks('x')));
      await refuses('forbidden', reader.append(short.id, 0, chunks('x'), { body_bytes: 1 }));
      await refuses('forbidden', reader.finish(upload.id));
      await refuses('forbidden', reader.begin({ package_id: made.id, relative_path: 'b' }));
      await refuses('forbidden', reader.begin({}));
      const stranger = opened.as({ actor: own, share: own, grants: [] }).uploads!;
      await refuses('package_not_found', stranger.begin({ package_id: made.id, relative_path: 'b' }));
      assert.equal((await uploads().status(upload.id))!.offset_bytes, 4);
      await assertHolds((await mine().finish(upload.id)).record, Buffer.from('mine'));
      assert.equal((await reader.finish(upload.id)).created, true);
      await refuses('file_not_found', stranger.finish(upload.id));
    });
  });
}

async function* stopping(bytes: Uint8Array, stop: AbortController): AsyncGenerator<Uint8Array> {
  yield bytes;
  stop.abort();
  await new Promise(() => undefined);
}
