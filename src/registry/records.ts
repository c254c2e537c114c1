import type { JsonObject, JsonValue } from '../kernel/format/json.ts';
import type { ManifestFile } from '../kernel/manifest.ts';
import type { LocationState, PackageStatus } from '../kernel/views/view.ts';

// What the registry's door takes and gives: the wire's records.

export interface Created<T> {
  readonly record: T;
  /** False when it was there already. */
  readonly created: boolean;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

export interface PageQuery {
  /** 1 to 1,000; 100 where absent. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface NewPackage {
  readonly name: string;
  readonly producer: string;
  readonly subject: string;
  readonly retention_class: string;
  readonly metadata?: JsonObject;
  readonly metadata_schema_slug?: string | null;
}

export interface PackageQuery extends PageQuery {
  /** Names, producers, subjects and classes are compared whole. */
  readonly name?: string;
  readonly producer?: string;
  readonly subject?: string;
  readonly retention_class?: string;
  readonly status?: PackageStatus;
  /** `blake3:<hex>`: the sealed package whose manifest has this digest. */
  readonly manifest_digest?: string;
  /** RFC 3339. From that time on. */
  readonly created_after?: string;
  /** Earlier than that time. */
  readonly created_before?: string;
  readonly finalized_after?: string;
  readonly finalized_before?: string;
  /** Top-level scalars of the metadata that must all match; `metadataTerms` says how keys and values are read. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface Package {
  readonly id: string;
  readonly name: string;
  readonly producer: string;
  readonly subject: string;
  readonly retention_class: string;
  readonly status: PackageStatus;
  readonly metadata: JsonObject;
  readonly metadata_schema_slug: string | null;
  readonly created_at: string;
  readonly created_by: string;
  readonly finalized_at: string | null;
  readonly manifest_digest: string | null;
  readonly expires_at: string | null;
  readonly file_count: number;
  readonly total_bytes: number;
  /** The holds that keep it now: those that nobody released. */
  readonly hold_count: number;
}

export interface FinalizeExpectation {
  /** `sha256:<hex>` over the package's files. */
  readonly files_digest?: string;
}

export interface Finalized {
  readonly package_id: string;
  readonly manifest_digest: string;
  readonly finalized_at: string;
  readonly file_count: number;
  readonly total_bytes: number;
}

export interface SealedManifest {
  /** `blake3:` over `bytes`. */
  readonly digest: string;
  /** Canonical CBOR. */
  readonly bytes: Uint8Array;
}

export interface NewFile {
  readonly relative_path: string;
  readonly body: AsyncIterable<Uint8Array>;
  /** `application/octet-stream` where absent. */
  readonly media_type?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** What the sender says of the bytes; a body that differs is refused and leaves nothing behind. */
  readonly size_bytes?: number;
  readonly digests?: ReadonlyMap<string, Uint8Array>;
  readonly signal?: AbortSignal;
}

export interface Attachment {
  readonly relative_path: string;
  /** By either digest. */
  readonly content_address: string;
  readonly size_bytes: number;
  readonly media_type?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface AttachOptions {
  readonly signal?: AbortSignal;
  /** Whether the records of the files are wanted, as they are where absent. A registry may give them anyway. */
  readonly records?: boolean;
}

export interface Attached {
  readonly relative_path: string;
  readonly result: 'created' | 'exists' | 'missing';
  /** Where its record is wanted and it is not missing. */
  readonly file?: File;
}

/** What a manifest says of it, and where it is now. */
export interface File extends ManifestFile {
  readonly package_id: string;
  readonly created_at: string;
  readonly locations: readonly Location[];
}

/** A file that was not looked for in its package. */
export interface FoundFile extends File {
  readonly package: Pick<Package, 'id' | 'name' | 'producer' | 'subject' | 'status'>;
}

export interface Location {
  readonly id: string;
  readonly backend_id: string;
  readonly object_key: string;
  readonly state: LocationState;
  readonly stored_at: string;
  readonly verified_at: string | null;
  readonly retrieval_tier: string;
  readonly restore_status: string | null;
}

export type FileTarget =
  | { readonly file_id: string }
  | { readonly package_id: string; readonly relative_path: string }
  | { readonly content_address: string };

export interface OpenOptions {
  /** Inclusive. `last` may be absent or beyond the end; a negative `first` means the last so many bytes. */
  readonly range?: { readonly first: number; readonly last?: number };
  readonly signal?: AbortSignal;
  /**
   * For readers that are done with each chunk when they ask for the next: its memory may be used again then, which is
   * faster.
   */
  readonly reuseChunks?: boolean;
}

export interface OpenFile {
  readonly file: File;
  /** The bytes that `body` yields, inclusive; absent when it is the whole file. */
  readonly range?: { readonly first: number; readonly last: number };
  /** Iterate once; ending early releases what it holds. Chunks are the reader's to keep, without `reuseChunks`. */
  readonly body: AsyncIterable<Uint8Array>;
  /** What `body` yields, where it is in memory and verified already: the reader's to keep. */
  readonly bytes?: Uint8Array;
}

export interface FindManyOptions {
  /** The annotations that are wanted, by their keys; all where absent. A registry may give others anyway. */
  readonly annotations?: readonly string[];
}

export interface FoundToOpen {
  readonly file: File;
  /** As `Files.open` does. */
  open(options?: OpenOptions): Promise<OpenFile>;
}

export interface EventQuery {
  readonly since?: number;
  /** 1 to 500; 100 where absent. */
  readonly limit?: number;
  /** 0 to 60. */
  readonly wait_seconds?: number;
  readonly subject_kind?: string;
  readonly subject_id?: string;
  readonly event_type?: string;
}

export interface EventRecord {
  readonly sequence: number;
  readonly created_at: string;
  readonly event_type: string;
  readonly subject_kind: string;
  readonly subject_id: string;
  readonly actor: string;
  readonly payload: JsonValue;
  /** `blake3:<hex>`, over the canonical CBOR of the payload. */
  readonly payload_digest: string;
  /** `blake3:<hex>`; null to whoever may see a part of the log only, where no chain can be followed. */
  readonly chain_digest: string | null;
}

export interface EventPage {
  readonly items: readonly EventRecord[];
  /**
   * Up to where the log was looked at, for the next `since`. It is below `last_sequence` where the page is full, and
   * also where so much was looked at for one page that it ends before, with fewer items or none.
   */
  readonly next_since: number;
  /** The log's last sequence when the page was read. */
  readonly last_sequence: number;
}

export interface EncodedEventPage {
  /** The caller's alone, memory and all. */
  readonly bytes: Uint8Array;
  readonly item_count: number;
  /** As in an `EventPage`. */
  readonly next_since: number;
  readonly last_sequence: number;
  /** Where the page is the one event whose payload is longer than a page: `bytes` has null in its place. */
  readonly long: LongPayload | null;
}

export interface LongPayload {
  /** Of its canonical CBOR. */
  readonly size_bytes: number;
  /** The next bytes from there on: some megabytes, or what is left. */
  read(from: number): Promise<Uint8Array>;
}

export interface MetadataSchema {
  readonly slug: string;
  readonly json_schema: JsonObject;
  readonly created_at: string;
  readonly created_by: string;
}
