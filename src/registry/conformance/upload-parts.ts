import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { it } from 'node:test';
import type { File, Registry, Upload, Uploads } from '../REGISTRY.ts';
import { chunks, collect, patterned, refuses, samples } from './samples.ts';

/** What an upload that is made of others must be. */
export function describePartsOf(registry: () => Registry): void {
  const uploads = (): Uploads => registry().uploads!;
  const { create } = samples(registry);

  async function assertHolds(file: File, bytes: Uint8Array): Promise<void> {
    assert.equal(file.digest_sha256, createHash('sha256').update(bytes).digest('hex'));
    const read = await registry().files.open({ file_id: file.id });
    assert.equal(Buffer.compare(await collect(read!.body), bytes), 0);
  }

  it('is made of others, which stay what they are', async () => {
    const bytes = patterned(3_300_000);
    const parts: Upload[] = [];
    for (const [from, to] of [
      [0, 1_100_000],
      [1_100_000, 1_100_000],
      [1_100_000, 3_300_000],
    ] as const) {
      const { id } = await uploads().begin({ size_bytes: to - from, notes: { part: 'yes' } });
      const middle = from + Math.floor((to - from) / 3);
      await uploads().append(id, 0, chunks(bytes.subarray(from, middle)));
      parts.push(await uploads().append(id, middle - from, chunks(bytes.subarray(middle, to))));
    }
    const ids = parts.map(({ id }) => id);
    const { id: package_id } = await create();
    const target = { package_id, relative_path: 'whole' };
    const { id: open } = await uploads().begin({ size_bytes: 2 });
    await refuses('upload_incomplete', uploads().begin({ ...target, parts: [...ids, open] }));
    await refuses('upload_not_found', uploads().begin({ ...target, parts: [...ids, randomUUID()] }));
    await refuses('upload_length_mismatch', uploads().begin({ ...target, parts: ids, size_bytes: 1 }));
    await refuses('invalid_value', uploads().begin({ ...target, parts: [] }));
    // Twice, as where the first answer was lost.
    for (const created of [true, false]) {
      const whole = await uploads().begin({ ...target, parts: ids, notes: { of: 'three' } });
      assert.deepEqual([whole.offset_bytes, whole.size_bytes, whole.state], [3_300_000, 3_300_000, 'open']);
      assert.deepEqual((await uploads().status(whole.id))!.notes, { of: 'three' });
      await refuses('upload_length_mismatch', uploads().append(whole.id, 3_300_000, chunks('x')));
      const { record, created: isNew } = await uploads().finish(whole.id);
      assert.equal(isNew, created);
      await assertHolds(record, bytes);
      for (const part of parts) assert.deepEqual(await uploads().status(part.id), part);
      await refuses('upload_finished', uploads().begin({ parts: [whole.id] }));
    }
    const abandoned = await uploads().begin({ parts: ids });
    await uploads().abandon(abandoned.id);
    const { record } = await uploads().finish(ids[0]!, { ...target, relative_path: 'first' });
    await assertHolds(record, bytes.subarray(0, 1_100_000));
  });
}
