import { Buffer } from 'node:buffer';
import { randomFillSync } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import type { ContentAddress } from '../src/kernel/content/address.ts';
import { blake3, sha256, toHex, utf8 } from '../src/kernel/content/digest.ts';
import { objectKey } from '../src/kernel/content/key.ts';
import type { JsonObject } from '../src/kernel/format/json.ts';
import { uuidv7 } from '../src/kernel/id.ts';
import { chainStart, type LogHead, linkEvent, type NewEvent } from '../src/kernel/log/event.ts';
import type { Manifest, ManifestFile } from '../src/kernel/manifest.ts';
import { formatTimestamp } from '../src/kernel/time.ts';

/**
 * The log of a registry that has been in use for a year, written straight into a migrated SQLite database: sealed by
 * the kernel as live events are, only quicker. `replay` makes the views. Every package has nine files where nothing
 * else is said, but the oldest, which may have many more.
 */
export interface History {
  readonly events: number;
  readonly files: number;
  /** Unsealed, with `oldestFiles` files. */
  readonly largestPackage: string;
  /** Bytes that every second package has a copy of. */
  readonly sharedAddress: string;
}

export interface HistoryOptions {
  readonly oldestFiles?: number;
  /** Of every other one. */
  readonly filesPerPackage?: number;
  /** How many of the packages, from the second oldest on, expired a day after their creation. */
  readonly expired?: number;
}

export function writeHistory(path: string, packages: number, options: HistoryOptions = {}): History {
  const { filesPerPackage = 9, oldestFiles = filesPerPackage, expired = 0 } = options;
  const database = new DatabaseSync(path);
  database.exec('pragma synchronous = off');
  const insert = database.prepare('insert into events values (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const year = 365 * 24 * 3600 * 1000;
  const start = Date.now() - year;
  let head: LogHead = { sequence: 0, chain_digest: chainStart };
  let milliseconds = start;
  let files = 0;
  let largestPackage = '';

  database.exec('begin immediate');
  for (let index = 0; index < packages; index++) {
    milliseconds = start + Math.floor((index * year) / packages);
    const id = newId();
    if (index === 0) largestPackage = id;
    writePackage(id, index, index === 0 ? oldestFiles : filesPerPackage);
    // In one transaction the write-ahead log would be as long as the log of events.
    if (index % packagesPerCommit === packagesPerCommit - 1) {
      commit();
      database.exec('begin immediate');
    }
  }
  commit();
  database.close();
  return { events: head.sequence, files, largestPackage, sharedAddress: shared.content_address };

  function commit(): void {
    database.prepare('update log_head set sequence = ?, chain_digest = ?').run(head.sequence, head.chain_digest);
    database.exec('commit');
  }

  function writePackage(id: string, index: number, count: number): void {
    const created_at = formatTimestamp(milliseconds);
    const description = describePackage(index);
    const subject = { subject_kind: 'package', subject_id: id, actor: 'bench' } as const;
    append({ event_type: 'v1.package.created', ...subject, payload: { id, ...description, metadata_schema_slug: null } });
    const expires_at = index > 0 && index <= expired ? formatTimestamp(milliseconds + day) : null;
    const retention = { retention_class: description.retention_class, expires_at };
    append({ event_type: 'v1.retention.default_applied', ...subject, payload: { package_id: id, ...retention } });
    const manifestFiles: ManifestFile[] = [];
    for (let file = 0; file < count; file++) {
      const entry = { id: newId(), ...describeFile(index, file) };
      files++;
      manifestFiles.push(entry);
      const made_live = entry.content_address !== shared.content_address || index === 0;
      append({
        event_type: 'v1.file.ingested',
        subject_kind: 'file',
        subject_id: entry.id,
        actor: 'bench',
        payload: { ...entry, package_id: id, location: { id: newId(), ...whereStored(entry), generation: 0, made_live } },
      });
    }
    if (index === 0 || index % 20 === 7) return;
    if (index % 50 === 3) {
      append({ event_type: 'v1.package.abandoned', ...subject, payload: { package_id: id, cause: 'requested', reason: null } });
      return;
    }
    const payload: Manifest = {
      manifest_version: 1,
      package: { id, ...description, metadata_schema_slug: null, created_at, created_by: 'bench' },
      files: manifestFiles,
      storage_receipts: manifestFiles.map((entry) => ({
        file_id: entry.id,
        ...whereStored(entry),
        content_address: entry.content_address,
        stored_at: created_at,
      })),
      retention_summary: retention,
      provenance: { finalized_at: created_at, finalized_by: 'bench', registry_id: registryId, software: 'artifactstore/bench' },
    };
    append({ event_type: 'v1.package.finalized', ...subject, payload });
  }

  function append(event: NewEvent): void {
    const row = linkEvent(head, formatTimestamp(milliseconds), event);
    insert.run(
      row.sequence,
      row.created_at,
      row.event_type,
      row.subject_kind,
      row.subject_id,
      row.actor,
      row.payload,
      row.payload_digest,
      row.chain_digest,
    );
    head = { sequence: row.sequence, chain_digest: row.chain_digest };
  }

  function newId(): string {
    return uuidv7(milliseconds, randomFillSync(random));
  }
}

/**
 * Skewed as real registries are, and with the traps of a list page in it: one producer with half of all packages, one
 * with a few of the oldest only, and two conditions that half of the packages meet each and none meets both.
 */
function describePackage(index: number): {
  readonly name: string;
  readonly producer: string;
  readonly subject: string;
  readonly retention_class: string;
  readonly metadata: JsonObject;
} {
  const green = index % 2 === 0;
  return {
    name: `build ${index}`,
    producer: index < 40 ? 'retired' : green ? 'nightly' : `team-${index % 99}`,
    subject: `component-${index % 10_007}`,
    retention_class: retentionClasses[index % 7] ?? 'raw-evidence',
    metadata: {
      branch: index % 10 === 0 ? `feature-${index % 1000}` : 'main',
      build: index,
      outcome: green ? 'passed' : 'failed',
      reviewed: green ? 'no' : 'yes',
      machine: { name: `runner-${index % 50}`, memory_gib: 64 },
    },
  };
}

function describeFile(index: number, file: number): Omit<ManifestFile, 'id'> {
  const bytes = file === 0 && index % 2 === 0 ? shared : addressOf(`${index} ${file}`);
  return {
    relative_path: `reports/part-${String(file).padStart(6, '0')}.json`,
    media_type: 'application/json',
    size_bytes: 4096,
    digest_algorithm: 'blake3',
    ...bytes,
    annotations: {},
  };
}

function addressOf(text: string): Pick<ManifestFile, 'digest_primary' | 'digest_sha256' | 'content_address'> {
  const bytes = utf8(text);
  const digest_primary = toHex(blake3(bytes));
  return { digest_primary, digest_sha256: toHex(sha256(bytes)), content_address: `blake3:${digest_primary}` };
}

function whereStored(file: Omit<ManifestFile, 'id'>): { readonly backend_id: string; readonly object_key: string } {
  return { backend_id: 'local', object_key: objectKey(file.content_address as ContentAddress, 0) };
}

const packagesPerCommit = 5_000;
const day = 24 * 3600 * 1000;
const shared = addressOf('a licence that many packages carry');
const retentionClasses = ['transient', 'summary-evidence', 'release-evidence', 'permanent-record'];
const registryId = uuidv7(0, new Uint8Array(10));
const random = Buffer.alloc(10);
