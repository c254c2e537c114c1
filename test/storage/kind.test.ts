import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRegistry } from '../../src/compose/open-registry.ts';
import { readConfig } from '../../src/config/config.ts';
import type { BackendKind } from '../../src/storage/kind.ts';
import { backendKinds } from '../../src/storage/kinds.ts';
import { openMemoryStorage } from '../../src/storage/memory.ts';

test('a backend is added in ten lines: a kind, and a row in the table', async () => {
  const memoryKind: BackendKind = {
    kind: 'memory',
    readConfig: (settings, { id }) => ({ kind: 'memory', id, mebibytes: settings.integer('MEMORY_MEBIBYTES', 64, { from: 1 }) }),
    nameOf: ({ id }) => ({ where: `memory of ${id}`, setting: 'ARTIFACTSTORE_STORAGE_BACKENDS' }),
    directorySetting: () => 'STORAGE_SPOOL_ROOT',
    open: async ({ id }) => openMemoryStorage({ id }),
  };
  const kinds = [...backendKinds, memoryKind];

  const directory = await mkdtemp(join(tmpdir(), 'artifactstore-'));
  const config = readConfig({ ARTIFACTSTORE_STORAGE_BACKENDS: 'memory', ARTIFACTSTORE_MEMORY_MEBIBYTES: '1' }, { directory, kinds });
  {
    await using store = await openRegistry({ config, kinds });
    const registry = store.as('tester');
    const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
    const file = await registry.files.add(record.id, {
      relative_path: 'a',
      body: (async function* () {
        yield Buffer.from('ten lines');
      })(),
    });
    const opened = await registry.files.open({ file_id: file.record.id });
    assert.equal(Buffer.concat(await Array.fromAsync(opened!.body, (chunk) => Buffer.from(chunk))).toString(), 'ten lines');
  }
  await rm(directory, { recursive: true });
});
