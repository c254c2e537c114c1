import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openRegistry, readConfig } from '../../src/index.ts';
import type { Registry } from '../../src/registry/REGISTRY.ts';
import { pattern } from './vectors.ts';

/** Fills a registry in `directory` through its public names with a little of everything, and closes it. */
export async function fillRegistry(directory: string, environment: Readonly<Record<string, string>> = {}): Promise<void> {
  const places = { ARTIFACTSTORE_DATABASE_URL: 'sqlite:artifactstore.db', ARTIFACTSTORE_STORAGE_LOCAL_ROOT: 'storage' };
  await using store = await openRegistry({ config: readConfig({ ...places, ...environment }, { directory }) });
  const registry = store.as('tester');
  await registry.metadataSchemas.register({ slug: 'build.v1', json_schema: { type: 'object', required: ['build'] } });
  const sealed = await createPackage(
    registry,
    'transient',
    { build: 7, ratio: 0.1, tags: ['a', { '\uffff': 1, '\u{10000}': 2 }], note: null },
    'build.v1',
  );
  for (const [path, bytes] of [
    ['empty', pattern(0)],
    ['a/b/hello.txt', Buffer.from('hello\n')],
    ['caf\u00e9/\u{1f600}', pattern(2000)],
    ['same bytes', pattern(2000)],
    ['two blocks', pattern(1_048_577)],
  ] as const)
    await add(registry, sealed, path, bytes);
  await registry.packages.finalize(sealed);

  const open = await createPackage(registry, 'permanent-record', {});
  await add(registry, open, 'kept', pattern(2000));
  const given = await createPackage(registry, 'raw-evidence', { ok: true });
  await add(registry, given, 'given up', Buffer.from('given up'));
  await registry.packages.abandon(given);

  await store.operator.settleHeld();
  // Bytes that go bad, are found, and are repaired by the next push of the same.
  const { object_key } = (await registry.files.find(sealed, 'a/b/hello.txt'))!.locations[0]!;
  const path = join(directory, 'storage', object_key);
  const bytes = await readFile(path);
  bytes[0]! ^= 1;
  await writeFile(path, bytes);
  await assert.rejects(registry.files.open({ package_id: sealed, relative_path: 'a/b/hello.txt' }), { code: 'integrity_failure' });
  await add(registry, open, 'hello again', Buffer.from('hello\n'));
}

async function createPackage(
  registry: Registry,
  retention_class: string,
  metadata: Parameters<Registry['packages']['create']>[0]['metadata'] & object,
  metadata_schema_slug: string | null = null,
): Promise<string> {
  const { record } = await registry.packages.create({
    name: 'n',
    producer: 'p',
    subject: 's',
    retention_class,
    metadata,
    metadata_schema_slug,
  });
  return record.id;
}

async function add(registry: Registry, packageId: string, relative_path: string, bytes: Uint8Array): Promise<void> {
  async function* body() {
    yield bytes;
  }
  await registry.files.add(packageId, { relative_path, body: body(), annotations: { mode: 'executable' } });
}
