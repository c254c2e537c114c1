import type { PageQuery } from './records.ts';

// What uploads take and answer: a file's bytes that come in several calls.

/** What is known of a file before its bytes; all of it may be left out, and the file be named by `finish`. */
export interface NewUpload {
  /** Where the file goes: both, or neither. With both, the last byte makes the file. */
  readonly package_id?: string;
  readonly relative_path?: string;
  readonly media_type?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The length of the whole file, where it is known already. */
  readonly size_bytes?: number;
  /** Of the whole file, as raw bytes by algorithm: `finish` is refused where one does not hold. */
  readonly digests?: ReadonlyMap<string, Uint8Array>;
  /** What the wire that begins it wants to be told of it again. It is no part of the file. */
  readonly notes?: Readonly<Record<string, string>>;
  /**
   * Uploads whose bytes it begins with, in this order: of one backend, whole, and not files yet. They stay what they
   * are. Its length is the sum of theirs; `finish` makes the file.
   */
  readonly parts?: readonly string[];
}

/**
 * `open` takes bytes. `finished` has become a file, and is remembered until it expires, so that a lost answer can be
 * had again. Of an upload that was abandoned or that expired nothing is kept but that it was so, for as long again.
 */
export type UploadState = 'open' | 'finished';

export interface Upload {
  readonly id: string;
  readonly state: UploadState;
  /** How many bytes from the beginning are durable: where the next append begins. Never less than it was. */
  readonly offset_bytes: number;
  /** The length of the whole file; null while it is not known. */
  readonly size_bytes: number | null;
  /** Where the file goes, or is; null while it is not known. */
  readonly package_id: string | null;
  readonly relative_path: string | null;
  /** As it was given; null where it was not. */
  readonly media_type: string | null;
  readonly created_at: string;
  /** The actor that began it. */
  readonly created_by: string;
  /** When its last byte came; before the first, when it was begun; of a finished one, when it became its file. */
  readonly updated_at: string;
  readonly expires_at: string;
  readonly backend_id: string;
  /** The file that was made of it; null while it is open. */
  readonly file_id: string | null;
  /** As they were given when it was begun. */
  readonly notes: Readonly<Record<string, string>>;
}

/**
 * Who loses where another append is under way: it (`takeover`; IETF resumable uploads, 0.1), or the new one (`locked`;
 * tus), which is then `upload_locked`. For the latter an append is under way no more when nothing came of it for 5
 * seconds, nor 6 seconds after its process was killed.
 */
export type WriterPolicy = 'takeover' | 'locked';

export interface AppendOptions {
  readonly policy?: WriterPolicy;
  /** The length of the body, where it is known: one that is too long is refused before its first byte. */
  readonly body_bytes?: number;
  /** The length of the whole file, where it was not known before; another than was said is `upload_length_mismatch`. */
  readonly size_bytes?: number;
  /** True: the end of the body is the end of the file, which makes its length known. */
  readonly last?: boolean;
  /** False: the last byte makes no file; `finish` does, which can be told more. */
  readonly finishes?: boolean;
  /**
   * Of this body alone, as raw bytes by algorithm. Nothing of it is acknowledged before its end, and a body that
   * differs (`digest_mismatch`) or breaks off leaves the offset where it was.
   */
  readonly digests?: ReadonlyMap<string, Uint8Array>;
  /** Told while the body comes how far its upload is durable. */
  onDurable?(offsetBytes: number): void;
  /**
   * BLAKE3 of the pieces of this body that the ends of blocks of 1 MiB of the file cut it into, 32 bytes each, one
   * after the other, of as many as are known. Then a bad piece is told as soon as it has come
   * (`block_digest_mismatch`), and the upload stays where that begins. Of a body that breaks off whole pieces count.
   */
  readonly block_digests?: Uint8Array;
  readonly signal?: AbortSignal;
}

export interface StatusOptions {
  /**
   * True: ends an append that is under way first, so that the offset stays as it is answered until somebody adds to
   * it. What has arrived of that append is durable and counts.
   */
  readonly settle?: boolean;
}

/** What `finish` may be told that was not said before. What was said is kept, and another value is `invalid_value`. */
export interface FinishUpload extends Omit<NewUpload, 'notes' | 'parts'> {
  readonly policy?: WriterPolicy;
}

export type UploadQuery = PageQuery;
