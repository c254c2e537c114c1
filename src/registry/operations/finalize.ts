import type { Transaction } from '../../database/DATABASE.ts';
import { filesDigest } from '../../kernel/content/files-digest.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Manifest } from '../../kernel/manifest.ts';
import type { Finalized, Package } from '../REGISTRY.ts';
import { requireOpen, requirePackage } from './packages.ts';

export interface FinalizePackage {
  readonly actor: string;
  readonly id: string;
  /** What the package must hold to be sealed, or to have been; null for whatever it holds. */
  readonly filesDigest: string | null;
  /** Name and version of the software that seals. */
  readonly software: string;
}

/** Seals the package under the log's lock, so that the manifest says exactly what the package held at that event. */
export async function finalizePackage(transaction: Transaction, input: FinalizePackage): Promise<Finalized> {
  const found = await requirePackage(transaction.sql, input.id);
  if (found.status !== 'finalized') requireOpen(found);
  if (input.filesDigest !== null) await requireFiles(transaction, found, input.filesDigest);
  if (found.status === 'finalized') return sealedRecord(found);
  if (found.file_count === 0)
    throw new ArtifactstoreError('package_empty', `Package ${input.id} has no file; add at least one before it is finalized.`);
  const manifest = await buildManifest(transaction, found, input);
  transaction.append({
    event_type: 'v1.package.finalized',
    subject_kind: 'package',
    subject_id: input.id,
    actor: input.actor,
    payload: manifest,
  });
  await transaction.flush();
  return sealedRecord(await requirePackage(transaction.sql, input.id));
}

/** Under the log's lock too: nobody adds a file between this and the sealing. */
async function requireFiles(transaction: Transaction, found: Package, expected: string): Promise<void> {
  const rows = await readFiles(transaction, found.id);
  const actual = filesDigest(rows.map((row) => ({ ...row, annotations: readAnnotations(row.annotations) })));
  if (actual === expected) return;
  throw new ArtifactstoreError(
    'precondition_failed',
    found.status === 'finalized'
      ? `Package ${found.id} was sealed with other files than those that were expected.`
      : `Package ${found.id} holds other files than those that were expected; it is not sealed.`,
    {
      field: 'files_digest',
      info: { package_id: found.id, package_status: found.status, files_digest: actual, file_count: found.file_count },
    },
  );
}

async function readFiles(transaction: Transaction, packageId: string) {
  return await transaction.sql
    .selectFrom('artifact_files')
    .selectAll()
    .where('package_id', '=', packageId)
    .orderBy('relative_path')
    .execute();
}

function readAnnotations(text: string): Record<string, string> {
  return JSON.parse(text) as Record<string, string>;
}

function sealedRecord(found: Package): Finalized {
  return {
    package_id: found.id,
    manifest_digest: found.manifest_digest!,
    finalized_at: found.finalized_at!,
    file_count: found.file_count,
    total_bytes: found.total_bytes,
  };
}

async function buildManifest(transaction: Transaction, found: Package, input: FinalizePackage): Promise<Manifest> {
  const files = await readFiles(transaction, found.id);
  const locations = await transaction.sql
    .selectFrom('storage_locations')
    .select(['file_id', 'backend_id', 'object_key', 'content_address', 'stored_at'])
    .where('package_id', '=', found.id)
    .where('state', '<>', 'deleted')
    .orderBy('id')
    .execute();
  const receipts = Map.groupBy(locations, (location) => location.file_id);
  return {
    manifest_version: 1,
    package: {
      id: found.id,
      name: found.name,
      producer: found.producer,
      subject: found.subject,
      retention_class: found.retention_class,
      metadata: found.metadata,
      metadata_schema_slug: found.metadata_schema_slug,
      created_at: found.created_at,
      created_by: found.created_by,
    },
    files: files.map((file) => ({
      id: file.id,
      relative_path: file.relative_path,
      media_type: file.media_type,
      size_bytes: file.size_bytes,
      digest_algorithm: file.digest_algorithm,
      digest_primary: file.digest_primary,
      digest_sha256: file.digest_sha256,
      content_address: file.content_address,
      annotations: readAnnotations(file.annotations),
    })),
    storage_receipts: files.flatMap((file) => receipts.get(file.id) ?? []),
    retention_summary: { retention_class: found.retention_class, expires_at: found.expires_at },
    provenance: {
      finalized_at: transaction.now,
      finalized_by: input.actor,
      registry_id: transaction.registryId,
      software: input.software,
    },
  };
}
