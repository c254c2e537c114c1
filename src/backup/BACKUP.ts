import type { DataPlane } from '../dataplane/DATAPLANE.ts';
import type { ContentAddress } from '../kernel/content/address.ts';
import type { StoredEvent } from '../kernel/log/event.ts';

/**
 * A backup's door: the directory that a registry is copied into and brought back from. It decides nothing: it keeps
 * what it is given, durably and whole, and gives it back. docs/format.md describes the files, which are a promise to
 * other readers.
 */
export interface BackupPlace {
  readonly directory: string;
  /** What the copy is; undefined while the directory holds none. */
  record(): Promise<BackupRecord | undefined>;
  /** Replaces the record in one step. */
  save(record: BackupRecord): Promise<void>;
  readonly log: LogCopy;
  /** One backend, `backupBackend`, in which an object lies under the key of generation 0. Verified as any other. */
  readonly objects: DataPlane;
  /** The length of the copy of these bytes; undefined while there is none. */
  sizeOf(address: ContentAddress): Promise<number | undefined>;
  /** The rows of `idempotency_keys` that were copied. Throws `integrity_failure` where their file is damaged. */
  idempotencyKeys(): AsyncIterable<readonly IdempotencyKey[]>;
  saveIdempotencyKeys(rows: AsyncIterable<readonly IdempotencyKey[]>): Promise<void>;
  /** Removes what stopped runs left half written; only once it is known that the backup is this registry's. */
  removeDrafts(): Promise<void>;
  close(): Promise<void>;
}

/** Pages of events in files, each written once. */
export interface LogCopy {
  /** The last sequence that is copied; 0 while there is none. */
  end(): Promise<number>;
  /** Adds a page, as `encodeEventPage` makes it, of the events from `first` to `last`. */
  append(bytes: Uint8Array, first: number, last: number): Promise<void>;
  /**
   * The events after one sequence up to another, in order, a page at a time. Throws `integrity_failure` that names the
   * file where it is damaged, or the gap; whether the events are one chain is for the caller to check.
   */
  read(after: number, through: number): AsyncIterable<readonly StoredEvent[]>;
}

/** `backup.json`. It is written when a copy is begun and when it is whole, never between. */
export interface BackupRecord {
  readonly format: 1;
  /** `incomplete`: whole except for the objects in `missing`. */
  readonly state: 'in progress' | 'complete' | 'incomplete';
  readonly registry: RegistryRow;
  /**
   * The log's head that the copy is consistent at: every event up to it is there, with every object that is live at it.
   */
  readonly sequence: number;
  /** `blake3:<hex>`. */
  readonly chain_digest: string;
  /** Those that are live at the head, each once. */
  readonly objects: number;
  readonly bytes: number;
  readonly missing: readonly MissingObject[];
  readonly started_at: string;
  readonly finished_at: string | null;
}

export interface RegistryRow {
  readonly id: string;
  readonly format_version: number;
  readonly created_at: string;
}

/** An object that the log calls live and that could not be copied. */
export interface MissingObject {
  readonly content_address: ContentAddress;
  readonly size_bytes: number;
  readonly reason: string;
}

export interface IdempotencyKey {
  readonly producer: string;
  readonly idempotency_key: string;
  readonly request_digest: string;
  readonly package_id: string;
  readonly created_at: string;
}

export const backupBackend = 'backup';
