import type { Page, Upload, UploadQuery } from '../REGISTRY.ts';
import type { Backup, BackupOptions } from './copies.ts';
import type {
  Adoption,
  AdoptOptions,
  Collection,
  CollectionPlan,
  CollectOptions,
  Move,
  MoveOptions,
  MovePlan,
  MoveTarget,
  OrphanReport,
  OrphansOptions,
  PlanOptions,
  Sweep,
  SweepOptions,
  UnusableBackend,
  Verification,
  VerifyOptions,
} from './reports.ts';

export type { Incident, IncidentKind } from '../incident.ts';
export type * from './copies.ts';
export type * from './reports.ts';

/**
 * The operator's door: what is done on the database and the storage directly, beside running servers or without any; in
 * process only.
 */
export interface Operator {
  migrate(): Promise<readonly string[]>;
  replay(onProgress?: (done: number, total: number) => void): Promise<{ readonly events: number; readonly sequence: number }>;
  /** Says that sweep and collect although this machine's clock is in doubt now; a later jump is still noticed. */
  acceptClock(): void;
  /**
   * Why this machine's clock is not believed, in words; undefined while it is. Then `sweep` and `collect` are
   * `clock_in_doubt`.
   */
  clockDoubt(): Promise<string | undefined>;
  /** Marks what is expired, unheld and finalized as eligible for collection; deletes nothing. */
  sweep(options?: SweepOptions): Promise<Sweep>;
  /**
   * Releases what is eligible or abandoned and deletes the bytes that nobody needs. Runs beside everything else, also
   * beside itself.
   */
  collect(options?: CollectOptions): Promise<Collection>;
  /** What `collect` would do now; does nothing. */
  planCollection(options?: PlanOptions): Promise<CollectionPlan>;
  /** Reads every object of a backend and records what is good and what is not; resumes a stopped run. */
  verifyStorage(backendId: string, options?: VerifyOptions): Promise<Verification>;
  /** Moves files from one backend to another, beside everything else and itself; resumes a stopped run. */
  move(options: MoveOptions): Promise<Move>;
  /** What `move` would do now; does nothing. */
  planMove(target: MoveTarget): Promise<MovePlan>;
  /** Uploads that are open, of everybody, in the order in which they were begun. */
  listUploads(query?: UploadQuery): Promise<Page<Upload>>;
  /** Ends an upload of anybody, whose bytes then go. `upload_not_found`, `upload_finished`. */
  abandonUpload(id: string): Promise<void>;
  /** Bytes in a backend that no event knows. */
  findOrphans(backendId: string, options?: OrphansOptions): Promise<OrphanReport>;
  /**
   * Sweeps and collects at an interval, for the first time after one, in one process at a time, until it is stopped.
   */
  autorun(options: AutorunOptions): Autorun;
  /**
   * Puts what the database holds of small files into their backends, from now on: what this process holds soon, what
   * others left too.
   */
  watchHeld(): void;
  /**
   * Puts all of it there now, so that the backends have everything that is live at this moment; how many objects that
   * were. Errors: those of a backend that does not take them, `storage_unavailable` or `storage_full`.
   */
  settleHeld(): Promise<number>;
  /**
   * Copies the log and every object that is live at its end into a directory, beside everything else; resumes a stopped
   * run.
   */
  backup(directory: string, options?: BackupOptions): Promise<Backup>;
  /**
   * Makes what a server needs to write: the directory of drafts, which must be usable (`invalid_configuration`), and
   * every new and empty backend this registry's. Backends that cannot be used now are answered; they are asked again
   * when they are needed.
   */
  claimStorage(): Promise<readonly UnusableBackend[]>;
  /** What `adoptStorage` would take over. Reads the list of everything that lies there. */
  planAdoption(backendId: string, options?: AdoptOptions): Promise<Adoption>;
  /**
   * Makes a backend that has no marker this registry's, with whatever lies there. Refused where there is a marker of
   * another.
   */
  adoptStorage(backendId: string): Promise<void>;
  /** Checks sequence, payload digests and chain from the first event to the last. */
  verifyEvents(onProgress?: (done: number, total: number) => void): Promise<EventVerdict>;
}

export interface AutorunOptions {
  readonly intervalSeconds: number;
  /** After this long without a sign of life another process takes over; 60 where absent. */
  readonly leaseSeconds?: number;
  /** Told what each run of this process did. */
  readonly onRun?: (run: { readonly swept: Sweep; readonly collected: Collection }) => void;
}

export interface Autorun {
  /** Waits for the step under way. */
  stop(): Promise<void>;
}

export interface EventVerdict {
  readonly ok: boolean;
  /** The last good sequence, and its chain digest (`blake3:<hex>`). */
  readonly sequence: number;
  readonly chain_digest: string;
  /** What is wrong after it, when `ok` is false. */
  readonly reason?: string;
}
