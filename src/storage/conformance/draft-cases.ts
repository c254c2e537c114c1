import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { DraftDirectory, Storage } from '../STORAGE.ts';
import {
  assertFails,
  assertReadIsWhole,
  bytesAt,
  type Check,
  chunksOf,
  illegalKeys,
  inChunks,
  listed,
  makeDraft,
  mebibyte,
} from './cases.ts';

export function draftCases(check: Check): void {
  const withDrafts = (title: string, body: (storage: Storage, drafts: DraftDirectory) => Promise<void>): void =>
    check(title, async (storage, context) => {
      if (storage.drafts === undefined) context.skip('this backend takes no drafts');
      else await body(storage, storage.drafts);
    });

  withDrafts('publishes a draft, which stays', async (storage, drafts) => {
    const bytes = randomBytes(100_000);
    const draft = await makeDraft(drafts, bytes);
    assert.deepEqual(await listed(storage, ''), [], 'a draft does not show');
    await drafts.publish(draft, 'made/of/draft');
    assert.ok((await bytesAt(storage, 'made/of/draft'))!.equals(bytes));
    assert.equal((await stat(draft)).size, bytes.byteLength);
    await unlink(draft);
    assert.ok((await bytesAt(storage, 'made/of/draft'))!.equals(bytes));
  });

  withDrafts('publishes one draft twice, at the same key and at others', async (storage, drafts) => {
    const bytes = randomBytes(1000);
    const draft = await makeDraft(drafts, bytes);
    for (const key of ['k', 'k', 'other/k', 'k']) await drafts.publish(draft, key);
    await storage.delete('k');
    assert.ok((await bytesAt(storage, 'other/k'))!.equals(bytes));
    await unlink(draft);
    assert.equal((await listed(storage, '')).length, 1);
  });

  withDrafts('replaces an object by a draft in one step, also while it is read', async (storage, drafts) => {
    const [old, fresh] = [randomBytes(4 * mebibyte), randomBytes(3 * mebibyte)];
    await storage.put('k', inChunks(old, 65_536));
    const draft = await makeDraft(drafts, fresh);
    await assertReadIsWhole(storage, 'k', old, () => drafts.publish(draft, 'k'));
    assert.ok((await bytesAt(storage, 'k'))!.equals(fresh));
  });

  withDrafts('publishes many drafts at one key, and one of them is there', async (storage, drafts) => {
    const candidates = Array.from({ length: 8 }, () => randomBytes(10_000));
    await Promise.all(candidates.map(async (bytes) => drafts.publish(await makeDraft(drafts, bytes), 'contended/key')));
    const bytes = await bytesAt(storage, 'contended/key');
    assert.ok(candidates.some((candidate) => candidate.equals(bytes!)));
  });

  withDrafts('refuses a draft that is not there', async (storage, drafts) => {
    await storage.put('k', chunksOf([Buffer.from('previous')]));
    await assertFails(drafts.publish(join(drafts.directory, randomUUID()), 'k'), 'storage_unavailable');
    await assertFails(drafts.publish(join(drafts.directory, randomUUID()), 'fresh/key'), 'storage_unavailable');
    assert.equal(String(await bytesAt(storage, 'k')), 'previous');
    assert.equal(await storage.head('fresh/key'), undefined);
  });

  withDrafts('refuses to publish at an illegal key', async (_storage, drafts) => {
    const draft = await makeDraft(drafts, Buffer.from('x'));
    for (const key of illegalKeys) await assertFails(drafts.publish(draft, key), 'internal');
  });
}
