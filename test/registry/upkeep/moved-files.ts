import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { administrator } from '../../../src/kernel/access.ts';
import type { File } from '../../../src/registry/REGISTRY.ts';
import { dumpViews } from '../dump-views.ts';
import type { TwoBackends } from '../two-backends.ts';

// What the tests of a move do with files, and what they look at.

export async function fill(
  store: TwoBackends,
  producer: string,
  files: Readonly<Record<string, string>>,
  retention_class = 'transient',
): Promise<string> {
  const registry = store.as(administrator('producer'));
  const { record } = await registry.packages.create({ name: 'n', producer, subject: 's', retention_class });
  await registry.files.addMany(
    record.id,
    (async function* () {
      for (const [relative_path, text] of Object.entries(files)) yield { relative_path, body: bodyOf(text) };
    })(),
  );
  return record.id;
}

async function* bodyOf(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

export async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

export async function read(store: TwoBackends, package_id: string, relative_path: string): Promise<string> {
  return await textOf((await store.as(administrator('reader')).files.open({ package_id, relative_path }))!.body);
}

export async function find(store: TwoBackends, id: string, path: string): Promise<File> {
  return (await store.as(administrator('reader')).files.find(id, path))!;
}

export async function places(store: TwoBackends, id: string, path: string): Promise<string[]> {
  return (await find(store, id, path)).locations.filter(({ state }) => state !== 'deleted').map(({ backend_id }) => backend_id);
}

export async function objectsIn(store: TwoBackends, backendId: 'near' | 'far'): Promise<string[]> {
  const { length } = store.rootOf(backendId);
  const paths = await readdir(store.rootOf(backendId), { recursive: true, withFileTypes: true });
  return paths
    .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('drafts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(length + 1));
}

export function assertBalanced({ backends }: Awaited<ReturnType<TwoBackends['operator']['collect']>>): void {
  for (const backend of backends) assert.equal(backend.stored_objects, backend.live_objects, backend.backend_id);
}

/** What users see is the same after a replay; of SQLite, every view byte for byte. */
export async function assertReplays(store: TwoBackends): Promise<void> {
  await store.settle();
  const look = async () => {
    const { items } = await store.as(administrator('reader')).packages.list({ limit: 1000 });
    const files = await Promise.all(
      items.map(async ({ id }) => (await store.as(administrator('reader')).files.list(id, { limit: 1000 })).items),
    );
    const path = join(store.directory, 'artifactstore.db');
    const embedded = await readFile(path).then(
      () => true,
      () => false,
    );
    return { items, files, views: embedded ? dumpViews(path) : undefined, live: await store.database.read('collect.count_live', {}) };
  };
  const live = await look();
  assert.equal((await store.operator.verifyEvents()).ok, true);
  await store.operator.replay();
  assert.deepEqual(await look(), live);
}
