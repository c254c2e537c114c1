import { randomBytes } from 'node:crypto';
import type { Transaction } from '../src/database/DATABASE.ts';
import type { NewEvent } from '../src/kernel/log/event.ts';
import type { ManifestFile } from '../src/kernel/manifest.ts';
import { type RegistryOperations, operations as registry } from '../src/registry/operations/operations.ts';

export const filesOfAPackage = 100;

const actor = 'bench';

/** Packages with their files, sealed and verified. */
async function addPackages(transaction: Transaction, input: { readonly count: number }): Promise<void> {
  for (let made = 0; made < input.count; made++) {
    const id = transaction.newId();
    transaction.append(packageCreated(id));
    transaction.append({
      event_type: 'v1.retention.default_applied',
      subject_kind: 'package',
      subject_id: id,
      actor,
      payload: { package_id: id, retention_class: 'raw-evidence', expires_at: '2027-01-01T00:00:00.000Z' },
    });
    const files = Array.from({ length: filesOfAPackage }, () => newFile(transaction.newId()));
    const locations: string[] = [];
    for (const file of files) {
      const event = ingested(transaction, id, file);
      if (event.event_type === 'v1.file.ingested') locations.push(event.payload.location.id);
      transaction.append(event);
    }
    transaction.append({
      event_type: 'v1.package.finalized',
      subject_kind: 'package',
      subject_id: id,
      actor,
      payload: {
        manifest_version: 1,
        package: {
          id,
          name: 'run',
          producer: 'bench',
          subject: 'events',
          retention_class: 'raw-evidence',
          metadata: {},
          metadata_schema_slug: null,
          created_at: transaction.now,
          created_by: actor,
        },
        files,
        storage_receipts: files.map((file) => ({
          file_id: file.id,
          backend_id: 'local',
          object_key: file.digest_primary,
          content_address: file.content_address,
          stored_at: transaction.now,
        })),
        retention_summary: { retention_class: 'raw-evidence', expires_at: '2027-01-01T00:00:00.000Z' },
        provenance: { finalized_at: transaction.now, finalized_by: actor, registry_id: transaction.registryId, software: 'bench' },
      },
    });
    transaction.append({
      event_type: 'v1.storage.location_verified',
      subject_kind: 'backend',
      subject_id: 'local',
      actor,
      payload: { backend_id: 'local', result: 'ok', location_ids: locations },
    });
  }
}

function packageCreated(id: string): NewEvent {
  return {
    event_type: 'v1.package.created',
    subject_kind: 'package',
    subject_id: id,
    actor,
    payload: {
      id,
      name: 'run',
      producer: 'bench',
      subject: 'events',
      retention_class: 'raw-evidence',
      metadata: { commit: id, branch: 'main', attempt: 1 },
      metadata_schema_slug: null,
    },
  };
}

function newFile(id: string): ManifestFile {
  const digest_primary = randomBytes(32).toString('hex');
  return {
    id,
    relative_path: `reports/${id}.json`,
    media_type: 'application/json',
    size_bytes: 1_000,
    digest_algorithm: 'blake3',
    digest_primary,
    digest_sha256: randomBytes(32).toString('hex'),
    content_address: `blake3:${digest_primary}`,
    annotations: {},
  };
}

function ingested(transaction: Transaction, package_id: string, file: ManifestFile): NewEvent {
  return {
    event_type: 'v1.file.ingested',
    subject_kind: 'file',
    subject_id: file.id,
    actor,
    payload: {
      ...file,
      package_id,
      location: {
        id: transaction.newId(),
        backend_id: 'local',
        object_key: `blake3/${file.digest_primary.slice(0, 2)}/${file.digest_primary.slice(2, 4)}/${file.digest_primary}`,
        generation: 0,
        made_live: true,
      },
    },
  };
}

/** What is done to the log by `events.ts`: what servers do, and what fills a log for a replay. */
export const operations: {
  readonly writes: RegistryOperations['writes'] & { readonly addPackages: typeof addPackages };
  readonly reads: RegistryOperations['reads'];
} = { writes: { ...registry.writes, addPackages }, reads: registry.reads };

export type BenchOperations = typeof operations;

export const operationsUrl: URL = new URL(import.meta.url);
