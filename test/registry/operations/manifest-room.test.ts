import assert from 'node:assert/strict';
import { test } from 'node:test';
import { administrator } from '../../../src/kernel/access.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { limits } from '../../../src/registry/limits.ts';
import { bytesInManifest, createManifestRoom } from '../../../src/registry/operations/manifest-room.ts';
import { openTestRegistry } from '../open-registry.ts';

const kilobyte = { relative_path: 'p'.repeat(200), media_type: 'text/plain', annotations: { a: 'x'.repeat(62) } };
const noRoom = (error: unknown): boolean => isArtifactstoreError(error, 'too_many_files') && error.info?.bound === 'sealed_manifest_bytes';

/** A package that is filled as `plan` does it, and how often all of its files were gone over. */
function filling() {
  const room = createManifestRoom();
  const files = Array.from({ length: 1_000 }, () => kilobyte);
  const state = { count: 0, bytes: 0, read: 0 };
  return {
    state,
    async add(count = 1_000, others = 0): Promise<void> {
      const fresh = files.slice(0, count);
      await room.require({ id: 'one', file_count: state.count }, fresh, async () => {
        state.read += 1;
        return state.bytes;
      });
      state.count += count + others;
      state.bytes += bytesInManifest(fresh) + others * 1_000;
    },
  };
}

test('a package has as many files as its manifest has room for, and its files are seldom gone over', async () => {
  const { add, state } = filling();
  for (;;) {
    try {
      await add();
    } catch (error) {
      assert.ok(noRoom(error));
      break;
    }
  }
  const most = Math.floor(limits.manifestBytes / bytesInManifest([kilobyte]) / 1_000) * 1_000;
  assert.equal(state.count, most);
  // At the beginning, and in the last tenth.
  assert.ok(state.read < 20, `${state.read} times`);
  await add(100);
});

test('what others add is counted where it matters', async () => {
  const { add, state } = filling();
  await assert.rejects(async () => {
    for (;;) await add(1_000, 200);
  }, noRoom);
  // All but what others added after the last of it.
  const last = 200 * 1_000;
  assert.ok(state.bytes <= limits.manifestBytes + last && state.bytes > limits.manifestBytes * 0.98, `${state.bytes}`);
  assert.ok(state.read < 40, `${state.read} times`);
});

test('a manifest is not longer than what is counted for its files', async () => {
  const store = await openTestRegistry();
  try {
    const registry = store.as(administrator('tester'));
    const { id } = (await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' })).record;
    const body = async function* () {
      yield Buffer.from('hello');
    };
    const { content_address, size_bytes } = (await registry.files.add(id, { relative_path: 'first', body: body() })).record;
    const annotations = { key: 'ü"', other: '' };
    for (const prefix of ['a', 'b'])
      await registry.files.attach(
        id,
        Array.from({ length: 200 }, (_, index) => ({ relative_path: `${prefix}ü${index}`, content_address, size_bytes, annotations })),
      );
    const { items } = await registry.files.list(id, { limit: 1_000 });
    const { file_count } = await registry.packages.finalize(id);
    assert.equal(file_count, 401);
    const { bytes } = await registry.packages.manifest(id);
    const counted = bytesInManifest(items);
    assert.ok(bytes.length < counted && bytes.length > counted * 0.8, `${bytes.length} of ${counted}`);
  } finally {
    await store.close();
  }
});
