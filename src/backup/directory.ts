import { createReadStream } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DataPlane } from '../dataplane/DATAPLANE.ts';
import { utf8 } from '../kernel/content/digest.ts';
import { objectKey } from '../kernel/content/key.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { canonicalJson } from '../kernel/format/json.ts';
import { jsonObjectOf } from '../kernel/format/json-text.ts';
import { isPlainObject } from '../kernel/format/json-value.ts';
import { linesOf } from '../kernel/format/lines.ts';
import { errnoCode } from '../runtime/file-error.ts';
import { isReplacementDraft } from '../runtime/replace-file.ts';
import { markerKey } from '../storage/marker.ts';
import { draftsSegment } from '../storage/object-key.ts';
import { type BackupPlace, type BackupRecord, backupBackend, type IdempotencyKey } from './BACKUP.ts';
import { backupError, makeDirectory, writeDurably } from './durable-file.ts';
import { openLogFiles } from './log-files.ts';
import { sizeOfFile, sizeOfObject } from './object-files.ts';

export interface BackupDirectoryOptions {
  /**
   * Made when it is not there; one that holds anything else is refused. Off, nothing is made, and it must hold a
   * backup.
   */
  readonly write: boolean;
  /** Opens the objects below a directory, as the backend of that name. */
  openObjects(id: string, root: string): Promise<DataPlane>;
}

const names = { record: 'backup.json', log: 'log', objects: 'objects', keys: 'idempotency-keys.jsonl' } as const;
const rowsPerStep = 1_000;

export async function openBackupDirectory(path: string, options: BackupDirectoryOptions): Promise<BackupPlace> {
  const directory = resolve(path);
  const paths = {
    record: join(directory, names.record),
    log: join(directory, names.log),
    objects: join(directory, names.objects),
    keys: join(directory, names.keys),
  };
  const first = await readRecord(paths.record);
  if (options.write) {
    await refuseStore(paths.objects);
    if (first === undefined) await requireEmpty(directory);
    for (const made of [directory, paths.log, join(paths.objects, draftsSegment)]) await makeDirectory(made);
  } else if (first === undefined) throw new ArtifactstoreError('invalid_value', `There is no backup in ${directory}.`, { field: 'dir' });
  const objects = await options.openObjects(backupBackend, paths.objects);

  return {
    directory,
    record: () => readRecord(paths.record),
    save: (record) => writeDurably(paths.record, [utf8(`${JSON.stringify(record, undefined, 2)}\n`)]),
    log: openLogFiles(paths.log),
    objects,
    sizeOf: (address) => sizeOfObject(paths.objects, objectKey(address, 0)),
    idempotencyKeys: () => readRows(paths.keys),
    saveIdempotencyKeys: (rows) => writeDurably(paths.keys, lines(rows)),
    removeDrafts: () => removeDrafts(directory),
    close: () => objects.close(),
  };
}

async function* lines(pages: AsyncIterable<readonly IdempotencyKey[]>): AsyncIterable<Uint8Array> {
  for await (const rows of pages) yield utf8(rows.map((row) => `${canonicalJson({ ...row })}\n`).join(''));
}

async function* readRows(path: string): AsyncIterable<readonly IdempotencyKey[]> {
  // Asking first: a stream that can't be opened fails outside the iteration.
  if ((await sizeOfFile(path)) === undefined) throw badKeys(path, 'is missing');
  let rows: IdempotencyKey[] = [];
  for await (const line of linesOf(createReadStream(path))) {
    rows.push(parseKey(line, path));
    if (rows.length < rowsPerStep) continue;
    yield rows;
    rows = [];
  }
  yield rows;
}

async function readRecord(path: string): Promise<BackupRecord | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw backupError(error, path);
  }
  const record = parse(text, path);
  if (!isBackupRecord(record))
    throw new ArtifactstoreError('integrity_failure', `${path} is not a record of a backup that this version can read.`);
  return record;
}

function isBackupRecord(value: unknown): value is BackupRecord {
  if (!isPlainObject(value) || !isPlainObject(value.registry) || value.format !== 1) return false;
  const { registry, sequence, objects, bytes, missing, finished_at } = value;
  return (
    [registry.id, registry.created_at, value.state, value.chain_digest, value.started_at].every((text) => typeof text === 'string') &&
    [registry.format_version, sequence, objects, bytes].every(Number.isSafeInteger) &&
    (finished_at === null || typeof finished_at === 'string') &&
    Array.isArray(missing) &&
    missing.every(isPlainObject)
  );
}

function parseKey(line: string, path: string): IdempotencyKey {
  const row = jsonObjectOf(line);
  if (!isKey(row)) throw badKeys(path, 'is damaged');
  return row;
}

function isKey(row: unknown): row is IdempotencyKey {
  return isPlainObject(row) && keyFields.every((name) => typeof row[name] === 'string');
}

const keyFields: readonly (keyof IdempotencyKey)[] = ['producer', 'idempotency_key', 'request_digest', 'package_id', 'created_at'];

function badKeys(path: string, fault: string): ArtifactstoreError {
  return new ArtifactstoreError('integrity_failure', `The backup's file ${path} ${fault}.`, {
    info: {
      file: path,
      hint:
        'run `artifactstore backup` again: it writes this file again. If the registry is lost, put an empty file in its place: a restore ' +
        'then knows no idempotency key, and a push that is repeated with an old one makes another package',
    },
  });
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ArtifactstoreError('integrity_failure', `The backup's file ${path} is damaged: it is not JSON.`, { cause });
  }
}

/** Objects of a store are deleted by its registry: they are no copy of it. */
async function refuseStore(objects: string): Promise<void> {
  if ((await sizeOfFile(join(objects, markerKey))) === undefined) return;
  throw new ArtifactstoreError('target_in_use', `${objects} is the storage of a registry, so no backup can be made around it.`, {
    info: { hint: 'name another directory, best on another disk' },
  });
}

/** A directory that is not there is empty. */
async function requireEmpty(directory: string): Promise<void> {
  const found = await readdir(directory).catch((error: unknown) => {
    if (errnoCode(error) === 'ENOENT') return [];
    throw backupError(error, directory);
  });
  // A run may have been stopped before its first record: it has made folders by then, and nothing in them.
  for (const name of found)
    if (!(await isBeginning(directory, name)))
      throw new ArtifactstoreError(
        'target_in_use',
        `${directory} is not empty, and is not a backup; name an empty directory or a new one.`,
        {
          info: { found: name },
        },
      );
}

async function isBeginning(directory: string, name: string): Promise<boolean> {
  if (name !== names.log && name !== names.objects) return isReplacementDraft(name);
  const inside = await readdir(join(directory, name), { recursive: true }).catch((error: unknown) => {
    if (errnoCode(error) === 'ENOTDIR') return [name];
    throw backupError(error, join(directory, name));
  });
  return inside.every((path) => name === names.objects && path === draftsSegment);
}

/**
 * Of runs that were stopped. Another run's own are safe: its rename then fails, and with it the run, which can be
 * repeated.
 */
async function removeDrafts(directory: string): Promise<void> {
  for (const folder of [directory, join(directory, names.log)])
    for (const name of await readdir(folder)) if (isReplacementDraft(name)) await rm(join(folder, name), { force: true });
}
