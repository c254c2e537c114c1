import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { it } from 'node:test';
import type { NewUpload, Registry, Upload } from '../REGISTRY.ts';
import { breaking, chunks, holdsBytes, patterned, refuses, samples, waiting } from './samples.ts';

/** What uploads do whose bytes come in one short body. Called where tests are described. */
export function describeWholeOf(registry: () => Registry): void {
  const { create, add } = samples(registry);
  const uploads = () => registry().uploads!;

  async function begin(size_bytes: number, more: { readonly digests?: ReadonlyMap<string, Uint8Array> } = {}): Promise<Upload> {
    return await uploads().begin({ package_id: (await create()).id, relative_path: 'a', size_bytes, ...more });
  }

  async function assertHolds(id: string, bytes: Uint8Array): Promise<void> {
    const { state, file_id, offset_bytes } = (await uploads().status(id))!;
    assert.deepEqual([state, offset_bytes], ['finished', bytes.length]);
    await holdsBytes(registry(), (await registry().files.get(file_id!))!, bytes);
  }

  const whole = (bytes: Uint8Array) => [chunks(bytes), { body_bytes: bytes.length }] as const;

  it('takes a short file in one body, of any length and many at once', async () => {
    const package_id = (await create()).id;
    const sizes = [1, 100, 16_384, 16_385, 65_535, 65_536, 65_537];
    await Promise.all(
      sizes.map(async (size) => {
        const bytes = patterned(size);
        const { id } = await uploads().begin({ package_id, relative_path: `of/${size}`, size_bytes: size, media_type: 'text/x' });
        const done = await uploads().append(id, 0, ...whole(bytes));
        assert.deepEqual(await uploads().status(id), done);
        await assertHolds(id, bytes);
        const { record, created } = await uploads().finish(id);
        assert.deepEqual([record.id, record.relative_path, record.media_type, created], [done.file_id, `of/${size}`, 'text/x', true]);
        await refuses('upload_finished', uploads().append(id, 0, ...whole(bytes)));
        await refuses('upload_finished', uploads().abandon(id));
      }),
    );
  });

  it('keeps what came of a short body that breaks off, and takes no byte beyond its length', async () => {
    const bytes = patterned(50_000);
    const { id } = await begin(bytes.length);
    await assert.rejects(uploads().append(id, 0, breaking(bytes.subarray(0, 30_000)), { body_bytes: 50_000 }), /the connection broke/);
    assert.equal((await uploads().status(id))!.offset_bytes, 30_000);
    await uploads().append(id, 30_000, ...whole(bytes.subarray(30_000)));
    await assertHolds(id, bytes);
    const other = await begin(5);
    await refuses('upload_length_mismatch', uploads().append(other.id, 0, chunks('abcdef'), { body_bytes: 5 }));
    await uploads().append(other.id, 0, chunks('abc'), { body_bytes: 5 });
    await uploads().append(other.id, 3, chunks('de'), { body_bytes: 2 });
    await assertHolds(other.id, Buffer.from('abcde'));
  });

  it('keeps a short body that cannot become its file', async () => {
    const package_id = (await create()).id;
    await add(package_id, 'a', 'what is there');
    const { id } = await uploads().begin({ package_id, relative_path: 'a', size_bytes: 5 });
    await refuses('path_conflict', uploads().append(id, 0, ...whole(Buffer.from('other'))));
    assert.deepEqual([(await uploads().status(id))!.state, (await uploads().status(id))!.offset_bytes], ['open', 5]);
    const wrong = await begin(3, { digests: new Map([['sha256', new Uint8Array(32)]]) });
    await refuses('digest_mismatch', uploads().append(wrong.id, 0, ...whole(Buffer.from('abc'))));
    assert.deepEqual([(await uploads().status(wrong.id))!.state, (await uploads().status(wrong.id))!.offset_bytes], ['open', 3]);
    await refuses('digest_mismatch', uploads().finish(wrong.id));
    const right = new Map([['sha256', new Uint8Array(createHash('sha256').update('abc').digest())]]);
    const good = await begin(3, { digests: right });
    await uploads().append(good.id, 0, ...whole(Buffer.from('abc')));
    await assertHolds(good.id, Buffer.from('abc'));
  });

  it('takes no byte of a short body that is late', async () => {
    for (const [length, isBefore] of [
      [4, true],
      [4, false],
      [60_000, true],
    ] as const) {
      const bytes = patterned(length);
      const { id } = await begin(length);
      const late = waiting(Buffer.alloc(length, 1));
      const appended = uploads().append(id, 0, late.body, { body_bytes: length });
      appended.catch(() => undefined);
      await late.reached;
      const { offset_bytes } = (await uploads().status(id, { settle: true }))!;
      if (isBefore) late.end();
      if (isBefore) await refuses('upload_superseded', appended);
      const then = (await uploads().status(id))!;
      assert.deepEqual([then.state, then.offset_bytes], ['open', offset_bytes]);
      if (offset_bytes === 0) await uploads().append(id, 0, ...whole(bytes));
      late.end();
      await refuses('upload_superseded', appended);
      if (offset_bytes === 0) await assertHolds(id, bytes);
      else assert.equal(offset_bytes, length);
    }
  });

  it('makes no file of a short body whose upload was given up', async () => {
    const { id, package_id } = await begin(4);
    const late = waiting('late');
    const appended = uploads().append(id, 0, late.body, { body_bytes: 4 });
    appended.catch(() => undefined);
    await late.reached;
    await uploads().abandon(id);
    late.end();
    await refuses('upload_not_found', appended);
    assert.equal(await uploads().status(id), undefined);
    assert.equal(await registry().files.find(package_id!, 'a'), undefined);
  });

  it('is one file for many that bring it whole at once', async () => {
    const bytes = patterned(20_000);
    const { id, package_id } = await begin(bytes.length);
    const answers = await Promise.allSettled(Array.from({ length: 5 }, () => uploads().append(id, 0, ...whole(bytes))));
    for (const answer of answers)
      if (answer.status === 'rejected')
        await refuses(['upload_superseded', 'upload_finished', 'upload_offset_mismatch'], Promise.reject(answer.reason));
    await assertHolds(id, bytes);
    assert.equal((await registry().files.list(package_id!)).items.length, 1);
  });

  it('is begun and finished by one short body, or is not there', async () => {
    const package_id = (await create()).id;
    const named = (path: string, size_bytes: number) => ({ package_id, relative_path: path, size_bytes });
    for (const size of [1, 16_384, 65_536]) {
      const bytes = patterned(size);
      const done = (await uploads().beginWhole({ ...named(`of/${size}`, size), notes: { a: 'b' } }, ...whole(bytes)))!;
      assert.deepEqual([done.state, done.size_bytes, done.notes], ['finished', size, { a: 'b' }]);
      assert.deepEqual(await uploads().status(done.id), done);
      await assertHolds(done.id, bytes);
      assert.equal((await uploads().finish(done.id)).record.id, done.file_id);
      await refuses('upload_finished', uploads().append(done.id, 0, ...whole(bytes)));
      const again = (await uploads().beginWhole(named(`of/${size}`, size), ...whole(bytes)))!;
      assert.equal(again.file_id, done.file_id);
    }
    const refused = (input: NewUpload, text: string, body_bytes = text.length) => uploads().beginWhole(input, chunks(text), { body_bytes });
    await refuses('path_conflict', refused(named('of/1', 5), 'other'));
    await refuses('digest_mismatch', refused({ ...named('b', 3), digests: new Map([['sha256', new Uint8Array(32)]]) }, 'abc'));
    await refuses('upload_length_mismatch', refused(named('b', 3), 'abcd', 3));
    await refuses('upload_length_mismatch', refused(named('b', 3), 'ab', 3));
    await refuses('package_not_found', refused({ ...named('b', 3), package_id: randomUUID() }, 'abc'));
    await assert.rejects(uploads().beginWhole(named('b', 3), breaking(Buffer.from('ab')), { body_bytes: 3 }), /the connection broke/);
    assert.equal(await registry().files.find(package_id, 'b'), undefined);
    for (const [input, text] of [
      [{ size_bytes: 3 }, 'abc'],
      [named('b', 4), 'abc'],
      [{ package_id, relative_path: 'b' }, 'abc'],
      [named('b', 70_000), 'a'.repeat(70_000)],
      [named('b', 0), ''],
    ] as const)
      assert.equal(await refused(input, text), undefined);
  });
}
