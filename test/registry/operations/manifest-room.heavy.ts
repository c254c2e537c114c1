import assert from 'node:assert/strict';
import { test } from 'node:test';
import { administrator } from '../../../src/kernel/access.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { openTestRegistry } from '../open-registry.ts';

test('files are refused before their package cannot be sealed, and it can be sealed then', async () => {
  const store = await openTestRegistry();
  try {
    const { packages, files } = store.as(administrator('tester'));
    const { id } = (await packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' })).record;
    const body = async function* () {
      yield Buffer.from('hello');
    };
    const { content_address, size_bytes } = (await files.add(id, { relative_path: 'first', body: body() })).record;
    const annotations = Object.fromEntries(Array.from({ length: 64 }, (_, key) => [`key-${key}`, 'x'.repeat(1_024)]));
    let attached = 0;
    await assert.rejects(
      async () => {
        for (; attached < 2_600; attached += 200) {
          const paths = Array.from({ length: 200 }, (_, index) => `${attached + index}`);
          await files.attach(
            id,
            paths.map((relative_path) => ({ relative_path, content_address, size_bytes, annotations })),
          );
        }
      },
      (error) => isArtifactstoreError(error, 'too_many_files') && error.info?.bound === 'sealed_manifest_bytes',
    );
    assert.equal(attached, 2_000);
    assert.equal((await packages.finalize(id)).file_count, attached + 1);
  } finally {
    await store.close();
  }
});
