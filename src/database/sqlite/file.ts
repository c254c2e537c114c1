import { randomUUID } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Kysely } from '#kysely';
import { errnoCode, fileReason } from '../../runtime/file-error.ts';
import { databaseUnavailable } from '../failure.ts';
import { notOurs, refuseForeign, tooOld } from '../foreign.ts';
import { missingMigrations } from '../migrations/migrations.ts';
import type { Schema } from '../schema.ts';
import type { SqliteConnection } from './connection.ts';

/**
 * The file, made durably with its folder when it is not there, for its owner alone: SQLite gives the files beside it
 * the same mode. One that everybody may read or write is closed to others; what its group may do is left, since that is
 * not what a system does by itself.
 */
export function makeFile(path: string): void {
  try {
    makeFolder(path);
    if (!existsSync(path)) makeEmpty(path);
    for (const file of [path, `${path}-wal`, `${path}-shm`]) closeToOthers(file);
  } catch (error) {
    if (errnoCode(error) === undefined) throw error;
    throw databaseUnavailable(`The database cannot be made at ${path}: ${fileReason(error)}.`, error);
  }
}

export function requireFile(path: string): void {
  if (!existsSync(path)) throw notOurs(`There is no database at ${path}`);
}

/** Throws what a write would meet: a file or a folder that cannot be written to, or that is on read-only media. */
export function requireWritable(path: string): void {
  for (const place of [path, dirname(resolve(path))])
    try {
      accessSync(place, constants.W_OK);
    } catch (error) {
      throw databaseUnavailable(`The database cannot be written: ${place}: ${fileReason(error)}.`, error);
    }
}

/** Refuses a schema that is older or newer than this code, and a database of somebody else. */
export async function requireSchema(path: string, connection: SqliteConnection, queries: Kysely<Schema>): Promise<void> {
  if (!isMigrated(path, connection)) throw notOurs(`The database at ${path} has no tables of artifactstore`);
  const missing = await missingMigrations(queries);
  if (missing.length > 0) throw tooOld(missing);
}

/** Whether migrations of ours ran here. Refuses a database of somebody else. */
export function isMigrated(path: string, connection: SqliteConnection): boolean {
  const named = connection.database.prepare("select 1 from pragma_table_info('schema_migrations') where name = 'name'").get();
  if (named !== undefined) return true;
  const tables = connection.database.prepare("select name from sqlite_schema where type = 'table'").all();
  refuseForeign(
    tables.map(({ name }) => String(name)),
    `The file ${path}`,
    'file',
  );
  return false;
}

/**
 * Under another name first: closing a file that SQLite has open elsewhere in this process would take its locks away,
 * and from the moment it has its name, it may have it open.
 */
function makeEmpty(path: string): void {
  const draft = `${path}.${randomUUID()}`;
  closeSync(openSync(draft, 'wx', ownerOnly));
  try {
    linkSync(draft, path);
  } catch (error) {
    // There already; or a file system without links, and SQLite makes the file.
    if (!['EEXIST', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(errnoCode(error) ?? '')) throw error;
  } finally {
    unlinkSync(draft);
  }
  syncFolder(dirname(resolve(path)));
}

const ownerOnly = 0o600;
const others = 0o007;

function closeToOthers(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile() || (found.mode & others) === 0) return;
  // Somebody else's file is not ours to change.
  if (process.geteuid?.() === found.uid) chmodSync(path, ownerOnly);
}

/** The file's folder, made durably when it is not there. */
function makeFolder(path: string): void {
  const folder = dirname(resolve(path));
  const first = mkdirSync(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; ; made = dirname(made)) {
    syncFolder(dirname(made));
    if (made === first || made === dirname(made)) return;
  }
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
