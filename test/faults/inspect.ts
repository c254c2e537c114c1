import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openRegistry } from '../../src/index.ts';
import { blake3, toHex } from '../../src/kernel/content/digest.ts';
import { parseObjectKey } from '../../src/kernel/content/key.ts';
import type { Registry } from '../../src/registry/REGISTRY.ts';
import { dumpViews } from '../registry/dump-views.ts';
import { bytesOf } from './bytes.ts';
import type { Line } from './writer.ts';

/**
 * What must hold of a registry, whatever happened to the process that wrote it: it opens; everything acknowledged is
 * there and right; the chain is whole; replay changes nothing; no object is torn, and every live one is there; a
 * collection leaves those alone.
 */
export async function inspectRegistry(directory: string, acknowledged: readonly Line[]): Promise<void> {
  const databasePath = join(directory, 'artifactstore.db');
  await using store = await openRegistry({ directory });
  const registry = store.as('inspector');
  const verdict = await store.operator.verifyEvents();
  assert.equal(verdict.ok, true, verdict.reason);

  const abandoned = new Set(acknowledged.flatMap((line) => (line.kind === 'abandoning' ? [line.package_id] : [])));
  for (const line of acknowledged) {
    if (line.kind === 'added') {
      if (abandoned.has(line.package_id)) continue;
      const bytes = await readFileOf(registry, line.package_id, line.relative_path);
      assert.ok(Buffer.from(bytesOf(line.label)).equals(bytes), `${line.relative_path} of ${line.package_id} has other bytes`);
    } else if (line.kind === 'finalized') {
      const manifest = await registry.packages.manifest(line.package_id);
      assert.equal(manifest.digest, line.manifest_digest);
      assert.equal(`blake3:${toHex(blake3(manifest.bytes))}`, manifest.digest);
    }
  }

  const before = dumpViews(databasePath);
  await store.operator.replay();
  assert.deepEqual(dumpViews(databasePath), before, 'replay changed the views');
  assert.equal((await registry.health()).status, 'ok');
  await inspectObjects(join(directory, 'storage'), databasePath);

  const [stored] = (await store.operator.collect()).backends;
  assert.equal(stored!.stored_objects, stored!.live_objects, 'a collection leaves other bytes than the log says are live');
  assert.equal(stored!.stored_bytes, stored!.live_bytes);
}

async function readFileOf(registry: Registry, package_id: string, relative_path: string): Promise<Buffer> {
  const file = await registry.files.open({ package_id, relative_path });
  assert.ok(file !== undefined, `${relative_path} of ${package_id} was acknowledged and is not there`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.body) chunks.push(new Uint8Array(chunk));
  return Buffer.concat(chunks);
}

/**
 * Every file at a key is the whole object that its name says, also where the log knows nothing of it; every live key
 * has its file.
 */
async function inspectObjects(root: string, databasePath: string): Promise<void> {
  const keys = new Set<string>();
  // The first write makes the root: a writer that was stopped before it left none.
  const entries = existsSync(root) ? await readdir(root, { recursive: true, withFileTypes: true }) : [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const key = relative(root, path);
    if (!entry.isFile() || key.startsWith('drafts/')) continue;
    if (key === 'registry.json') {
      assert.equal(JSON.parse(await readFile(path, 'utf8')).format, 1, 'the marker is torn');
      continue;
    }
    const named = parseObjectKey(key);
    assert.ok(named !== undefined, `${key} is no key`);
    assert.equal(`blake3:${toHex(blake3(await readFile(path)))}`, named.address, `${key} is torn`);
    keys.add(key);
  }
  const database = new DatabaseSync(databasePath, { readOnly: true });
  try {
    for (const { object_key, bytes } of database.prepare('select object_key, bytes from held_objects').iterate()) {
      const named = parseObjectKey(String(object_key));
      assert.equal(`blake3:${toHex(blake3(bytes as Uint8Array))}`, named?.address, `${object_key} is held, and torn`);
      keys.add(String(object_key));
    }
    for (const { object_key } of database.prepare("select object_key from storage_objects where state <> 'none'").iterate())
      assert.ok(keys.has(String(object_key)), `the live object ${object_key} is neither in the store nor held`);
  } finally {
    database.close();
  }
}
