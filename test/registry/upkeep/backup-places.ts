import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, readConfig } from '../../../src/config/config.ts';
import type { File, NewPackage, Registry } from '../../../src/registry/REGISTRY.ts';

async function* body(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

/** Adds a package with one file of this text, and seals it unless told otherwise. */
export async function add(
  registry: Registry,
  text: string,
  seal = true,
  key?: string,
): Promise<{ readonly id: string; readonly file: File; readonly input: NewPackage }> {
  const input = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
  const { record } = await registry.packages.create(input, key === undefined ? {} : { idempotencyKey: key });
  const file = await registry.files.add(record.id, { relative_path: 'f', body: body(text) });
  if (seal) await registry.packages.finalize(record.id);
  return { id: record.id, file: file.record, input };
}

export async function read(store: { as(actor: string): Registry }, package_id: string): Promise<string> {
  const opened = await store.as('reader').files.open({ package_id, relative_path: 'f' });
  return Buffer.concat(await Array.fromAsync(opened!.body, (chunk) => Buffer.from(chunk))).toString();
}

export function scratch(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'artifactstore-backup-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A flipped bit. */
export function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(path, bytes);
}

export function databaseIn(place: string, name: string): string {
  return join(place, name, 'a.db');
}

export function environmentIn(place: string, name: string): Readonly<Record<string, string>> {
  return {
    ARTIFACTSTORE_DATABASE_URL: `sqlite:${databaseIn(place, name)}`,
    ARTIFACTSTORE_STORAGE_LOCAL_ROOT: join(place, name, 'storage'),
  };
}

/** The configuration of a registry that is not there yet. */
export function emptyPlaces(place: string, name: string): Config {
  return readConfig(environmentIn(place, name), { directory: place });
}
