import { type Kysely, type RawBuilder, type Selectable, sql } from '#kysely';
import type { Snapshot, Transaction } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { keptObject } from '../../kernel/format/json-text.ts';
import type { PackageStatus, ViewTables } from '../../kernel/views/view.ts';
import type { Package } from '../REGISTRY.ts';
import { distinct } from './sets.ts';

export async function abandonPackage(transaction: Transaction, input: { readonly actor: string; readonly id: string }): Promise<Package> {
  const found = await requirePackage(transaction.sql, input.id);
  // A held package is not abandoned, and an abandoned one is not held.
  if (found.status === 'abandoned') return { ...found, hold_count: 0 };
  requireOpen(found);
  await requireUnheld(transaction, input.id);
  transaction.append({
    event_type: 'v1.package.abandoned',
    subject_kind: 'package',
    subject_id: input.id,
    actor: input.actor,
    payload: { package_id: input.id, cause: 'requested', reason: null },
  });
  return { ...found, status: 'abandoned', hold_count: 0 };
}

/** Giving a package up lets its bytes go, which a hold forbids. */
async function requireUnheld(transaction: Transaction, id: string): Promise<void> {
  const hold = await holdOn(transaction, id);
  if (hold !== undefined)
    throw new ArtifactstoreError('package_held', `Package ${id} is held by ${hold.owner} ("${hold.reason}"); release the hold first.`, {
      info: { hold_id: hold.id },
    });
}

async function holdOn({ sql }: Snapshot, id: string) {
  return await sql
    .selectFrom('retention_holds')
    .select(['id', 'owner', 'reason'])
    .where('package_id', '=', id)
    .where('released_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
}

/** Abandons a package that was never sealed, where there is one and nobody holds it; what is held stays. */
export async function abandonUnsealed(transaction: Transaction, actor: string, found: Package | undefined): Promise<void> {
  if (found?.status !== 'created' || (await holdOn(transaction, found.id)) !== undefined) return;
  transaction.append({
    event_type: 'v1.package.abandoned',
    subject_kind: 'package',
    subject_id: found.id,
    actor,
    payload: { package_id: found.id, cause: 'requested', reason: null },
  });
}

export async function getPackage(snapshot: Snapshot, input: { readonly id: string }): Promise<Package | undefined> {
  const row = await packages(snapshot.sql).select(holdCount.as('hold_count')).where('p.id', '=', input.id).executeTakeFirst();
  return row === undefined ? undefined : packageRecord(row);
}

/** What is asked of a package before a file of it is read. */
export type TakingPackage = Pick<Package, 'id' | 'producer' | 'retention_class' | 'status'>;

export async function getTakingPackage(snapshot: Snapshot, input: { readonly id: string }): Promise<TakingPackage | undefined> {
  return await snapshot.sql
    .selectFrom('artifact_packages')
    .select(['id', 'producer', 'retention_class', 'status'])
    .where('id', '=', input.id)
    .executeTakeFirst();
}

/** Whose a package is; it never changes. */
export async function producerOfPackage(snapshot: Snapshot, input: { readonly id: string }): Promise<string | undefined> {
  const row = await snapshot.sql.selectFrom('artifact_packages').select('producer').where('id', '=', input.id).executeTakeFirst();
  return row?.producer;
}

/** The manifest: the payload of the package's finalize event. Undefined without a package. `package_not_finalized`. */
export async function readManifest(
  snapshot: Snapshot,
  input: { readonly id: string },
): Promise<{ readonly digest: string; readonly bytes: Uint8Array } | undefined> {
  const row = await snapshot.sql
    .selectFrom('artifact_packages as p')
    .leftJoin('events as e', 'e.sequence', 'p.finalized_sequence')
    .select(['p.manifest_digest', 'e.payload'])
    .where('p.id', '=', input.id)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  if (row.manifest_digest === null || row.payload === null)
    throw new ArtifactstoreError('package_not_finalized', `Package ${input.id} is not sealed, so it has no manifest.`);
  return { digest: row.manifest_digest, bytes: row.payload };
}

export async function requirePackage(database: Kysely<Schema>, id: string): Promise<UncountedPackage> {
  const row = await packages(database).where('p.id', '=', id).executeTakeFirst();
  if (row === undefined) throw noPackage(id);
  return uncountedRecord(row);
}

/** Those of the packages that are there, by id. */
export async function readPackages(database: Kysely<Schema>, ids: readonly string[]): Promise<Map<string, Package>> {
  if (ids.length === 0) return new Map();
  const rows = await packages(database).select(holdCount.as('hold_count')).where('p.id', 'in', distinct(ids)).execute();
  return new Map(rows.map((row) => [row.id, packageRecord(row)]));
}

/** The same, for who decides by them. */
export async function readUncounted(database: Kysely<Schema>, ids: readonly string[]): Promise<Map<string, UncountedPackage>> {
  if (ids.length === 0) return new Map();
  const rows = await packages(database).where('p.id', 'in', distinct(ids)).execute();
  return new Map(rows.map((row) => [row.id, uncountedRecord(row)]));
}

export function noPackage(id: string): ArtifactstoreError {
  return new ArtifactstoreError('package_not_found', `There is no package ${id}.`, { field: 'package_id' });
}

/** Files are added, and packages abandoned, only while the package is `created`. */
export function requireOpen(found: { readonly id: string; readonly status: PackageStatus }): void {
  if (found.status === 'created') return;
  if (found.status === 'garbage_collected')
    throw new ArtifactstoreError('package_collected', `Package ${found.id} was collected: it had expired, and its bytes are gone.`);
  throw new ArtifactstoreError(
    'package_not_open',
    `Package ${found.id} is ${found.status}; only a package that is created can be changed.`,
    {
      info: { status: found.status },
    },
  );
}

/**
 * Files can be sent to a package that is created; and to a sealed one those that it holds, so that a script can be
 * repeated.
 */
export function requireFillable(found: { readonly id: string; readonly status: PackageStatus }): void {
  if (found.status !== 'finalized') requireOpen(found);
}

/** Of a sealed package that does not hold just this file. */
export function sealedWithout(id: string, path: string, there: { readonly content_address: string } | undefined): ArtifactstoreError {
  return new ArtifactstoreError(
    'package_not_open',
    `Package ${id} is sealed and ${there === undefined ? 'has no file' : 'holds other bytes'} ` +
      `at "${path}"; a sealed package never changes, so open a new one.`,
    {
      field: 'relative_path',
      info: {
        status: 'finalized',
        relative_path: path,
        ...(there === undefined ? {} : { content_address: there.content_address }),
      },
    },
  );
}

function packages(database: Kysely<Schema>) {
  return database
    .selectFrom('artifact_packages as p')
    .leftJoin('retention_state as r', 'r.package_id', 'p.id')
    .selectAll('p')
    .select('r.expires_at');
}

/**
 * How many holds keep the package `p`, by an index of those alone. It takes as long as there are many, and one package
 * can have a hundred thousand: so what only decides leaves it out.
 */
export const holdCount: RawBuilder<number> = sql<number>`(
  select count(*) from retention_holds as h where h.package_id = p.id and h.released_at is null)`;

/** A package whose holds nobody counted. */
export type UncountedPackage = Omit<Package, 'hold_count'>;

/** What a record shows. */
export type PackageRow = UncountedRow & { readonly hold_count: number };

type UncountedRow = Omit<
  Selectable<ViewTables['artifact_packages']>,
  'live_locations' | 'changed_at' | 'created_sequence' | 'finalized_sequence'
> & { readonly expires_at: string | null };

export function packageRecord(row: PackageRow): Package {
  return { ...uncountedRecord(row), hold_count: row.hold_count };
}

function uncountedRecord(row: UncountedRow): UncountedPackage {
  return { ...beforeMetadata(row), metadata: keptObject(row.metadata), ...afterMetadata(row) };
}

/** The record as JSON. Metadata is kept as canonical JSON, of up to a megabyte, and stands there as it is. */
export function packageText(row: PackageRow): string {
  const before = JSON.stringify(beforeMetadata(row)).slice(0, -1);
  const after = JSON.stringify({ ...afterMetadata(row), hold_count: row.hold_count }).slice(1);
  return `${before},"metadata":${row.metadata},${after}`;
}

function beforeMetadata(row: UncountedRow) {
  return {
    id: row.id,
    name: row.name,
    producer: row.producer,
    subject: row.subject,
    retention_class: row.retention_class,
    status: row.status,
  };
}

function afterMetadata(row: UncountedRow) {
  return {
    metadata_schema_slug: row.metadata_schema_slug,
    created_at: row.created_at,
    created_by: row.created_by,
    finalized_at: row.finalized_at,
    manifest_digest: row.manifest_digest,
    expires_at: row.expires_at,
    file_count: row.file_count,
    total_bytes: row.total_bytes,
  };
}
