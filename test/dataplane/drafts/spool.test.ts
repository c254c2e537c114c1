import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createDraftMemory, createSpoolDraft, type DraftMemory, type SpoolDraft } from '../../../src/dataplane/drafts/spool.ts';
import { formatAddress } from '../../../src/kernel/content/address.ts';
import { blake3, sha256, toHex } from '../../../src/kernel/content/digest.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';

const mebibyte = 1_048_576;

describe('a draft for bytes that are sent elsewhere', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'artifactstore-spool-'));
  });
  after(() => rm(directory, { recursive: true }));

  let made = 0;
  const open = (room: DraftMemory): SpoolDraft => createSpoolDraft(join(directory, `draft-${made++}`), room);
  const files = (): Promise<readonly string[]> => readdir(directory);

  async function write(draft: SpoolDraft, bytes: Uint8Array): Promise<void> {
    const writes: Promise<void>[] = [];
    for (let first = 0; first < bytes.byteLength; ) {
      const chunk = new Uint8Array(bytes.subarray(first, first + randomInt(1, 400_000)));
      first += chunk.byteLength;
      const written = draft.write(chunk);
      writes.push(written);
      // The memory of a chunk is the writer's again when its write is over.
      void written.then(() => chunk.fill(0xee));
    }
    await Promise.all(writes);
    await draft.finish();
  }

  async function assertHolds(draft: SpoolDraft, bytes: Uint8Array): Promise<void> {
    const digestPrimary = toHex(blake3(bytes));
    const described = {
      sizeBytes: bytes.byteLength,
      digestAlgorithm: 'blake3' as const,
      digestPrimary,
      digestSha256: toHex(sha256(bytes)),
      contentAddress: formatAddress('blake3', blake3(bytes)),
    };
    for (let times = 0; times < 2; times++) assert.ok(Buffer.concat(await Array.fromAsync(draft.read(described))).equals(bytes));
  }

  test('is in memory while it is short, and in a file when it is not; the bytes are the same', async () => {
    for (const size of [0, 1, 65_536, mebibyte - 1, mebibyte, mebibyte + 1, 2_500_000]) {
      const bytes = randomBytes(size);
      const room = createDraftMemory(8 * mebibyte);
      const draft = open(room);
      await write(draft, bytes);
      assert.equal((await files()).length, size > mebibyte ? 1 : 0, `${size}`);
      if (size > mebibyte) assert.equal(room.take(8 * mebibyte), true, 'what lies in a file holds no memory');
      await assertHolds(draft, bytes);
      await draft.discard();
      await draft.discard();
      assert.deepEqual(await files(), []);
    }
  });

  test('goes into a file when there is no more room, and gives back what it has', async () => {
    const room = createDraftMemory(1000);
    const first = open(room);
    await write(first, randomBytes(900));
    const second = open(room);
    const bytes = randomBytes(200);
    await write(second, bytes);
    assert.equal((await files()).length, 1);
    await assertHolds(second, bytes);
    assert.equal(room.take(101), false);
    await first.discard();
    await first.discard();
    assert.equal(room.take(1001), false);
    assert.equal(room.take(1000), true);
    await second.discard();
    assert.deepEqual(await files(), []);
  });

  test('given up, it leaves nothing: short, long, or outgrowing its memory', async () => {
    const room = createDraftMemory(2 * mebibyte);
    for (const sizes of [[10], [mebibyte, 1], [2 * mebibyte], [600_000, 600_000, 5]]) {
      const draft = open(room);
      await Promise.all(sizes.map((size) => draft.write(randomBytes(size))));
      await draft.abandon();
      assert.deepEqual(await files(), []);
      assert.equal(room.take(2 * mebibyte), true, String(sizes));
      room.give(2 * mebibyte);
    }
  });

  test('that cannot be written says so, and holds no memory', async () => {
    const room = createDraftMemory(mebibyte);
    const draft = createSpoolDraft(join(directory, 'none', 'draft'), room);
    await draft.write(randomBytes(10));
    await assert.rejects(draft.write(randomBytes(mebibyte)), (error) => isArtifactstoreError(error, 'storage_unavailable'));
    await draft.abandon();
    assert.equal(room.take(mebibyte), true);
  });
});
