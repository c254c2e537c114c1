import type { JsonObject } from './format/json.ts';

/**
 * The manifest of a sealed package, format version 1 (docs/format.md). Its canonical CBOR bytes are the package's
 * identity.
 */
export interface Manifest {
  readonly manifest_version: 1;
  readonly package: {
    readonly id: string;
    readonly name: string;
    readonly producer: string;
    readonly subject: string;
    readonly retention_class: string;
    readonly metadata: JsonObject;
    readonly metadata_schema_slug: string | null;
    readonly created_at: string;
    readonly created_by: string;
  };
  /** By `relative_path`, bytewise on UTF-8. At most `maximumFiles`. */
  readonly files: readonly ManifestFile[];
  /** In the order of `files`: where each file was stored at the moment of sealing. */
  readonly storage_receipts: readonly StorageReceipt[];
  readonly retention_summary: { readonly retention_class: string; readonly expires_at: string | null };
  readonly provenance: {
    readonly finalized_at: string;
    readonly finalized_by: string;
    readonly registry_id: string;
    readonly software: string;
  };
}

export interface ManifestFile {
  readonly id: string;
  readonly relative_path: string;
  readonly media_type: string;
  readonly size_bytes: number;
  /** Names the algorithm of `digest_primary`. */
  readonly digest_algorithm: string;
  /** Lowercase hex, without the algorithm. */
  readonly digest_primary: string;
  readonly digest_sha256: string;
  /** `<digest_algorithm>:<digest_primary>`. */
  readonly content_address: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface StorageReceipt {
  readonly file_id: string;
  readonly backend_id: string;
  readonly object_key: string;
  readonly content_address: string;
  readonly stored_at: string;
}

export const maximumFiles = 100_000;
