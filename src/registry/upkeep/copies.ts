// What backup and restore take and answer.

export interface CheckBackupOptions {
  /** Reads every object from end to end; off, it is enough that each is there with its length. */
  readonly read?: boolean;
  /** Objects read or copied at the same time. */
  readonly jobs?: number;
  readonly onProgress?: (counts: CopyCounts) => void;
  readonly onProblem?: (problem: BackupProblem) => void;
  readonly signal?: AbortSignal;
}

export interface BackupOptions extends CheckBackupOptions {
  readonly bytesPerSecond?: number;
  /** Told of an object that the log calls live and that could not be copied. */
  readonly onMissing?: (missing: MissingObject) => void;
}

export interface CopyCounts {
  readonly events: number;
  readonly objects: number;
  readonly bytes: number;
}

/** An object of a backup that is not what it should be. */
export interface BackupProblem {
  readonly content_address: string;
  /** Below the backup's directory. */
  readonly path: string;
  readonly reason: string;
}

/** What is in a backup and right, and what is not. */
export interface BackupCheck extends CopyCounts {
  readonly problems: readonly BackupProblem[];
}

export interface MissingObject {
  readonly content_address: string;
  readonly size_bytes: number;
  readonly reason: string;
}

/** The same of a backup by itself. */
export interface CheckedBackup extends BackupCheck {
  readonly registry_id: string;
  readonly state: string;
  readonly sequence: number;
  readonly chain_digest: string;
  readonly finished_at: string | null;
  readonly missing: readonly MissingObject[];
}

export interface Backup {
  /** Whether everything that is live at the head is in the copy and right. */
  readonly ok: boolean;
  readonly directory: string;
  readonly registry_id: string;
  /** The log's head that the copy is consistent at. */
  readonly sequence: number;
  readonly chain_digest: string;
  readonly objects: number;
  readonly bytes: number;
  /** What this run added to what was there. */
  readonly copied: CopyCounts;
  readonly missing: readonly MissingObject[];
  readonly problems: readonly BackupProblem[];
  readonly started_at: string;
}

export interface RestoreOptions {
  /**
   * Keeps the objects that are in the storage already: resumes a restore, or works beside storage whose database was
   * lost.
   */
  readonly resume?: boolean;
  readonly jobs?: number;
  readonly onProgress?: (counts: CopyCounts, total: CopyCounts) => void;
  readonly signal?: AbortSignal;
}

export interface Restored {
  readonly ok: boolean;
  readonly registry_id: string;
  readonly sequence: number;
  readonly chain_digest: string;
  /** Objects put into the storage, and those that were there. */
  readonly objects: number;
  readonly bytes: number;
  readonly kept_objects: number;
  /** Live by the log, and not in the backup. */
  readonly missing: readonly MissingObject[];
}
