import type { BackupPlace } from '../backup/BACKUP.ts';
import type { Database } from '../database/DATABASE.ts';
import type { DataPlane, StoredObject } from '../dataplane/DATAPLANE.ts';
import type { Quota } from '../kernel/access.ts';
import type { ContentAddress } from '../kernel/content/address.ts';
import type { RetentionClass } from '../kernel/retention.ts';
import type { Incident, IncidentKind } from './incident.ts';
import type { MetadataValidator } from './metadata/validation.ts';
import type { Locate } from './objects/locate.ts';
import type { HeldName } from './operations/held.ts';
import type { RegistryOperations } from './operations/operations.ts';
import type { ClockWatch } from './upkeep/clock-watch.ts';
import type { UploadWriters } from './uploads/writers.ts';

/** What a registry is made of. */
export interface RegistryParts {
  readonly database: Database<RegistryOperations>;
  readonly dataplane: DataPlane;
  readonly defaultBackend: string;
  /** The backend that the bytes of a package go to. */
  routeBackend(producer: string, retentionClass: string): string;
  /** How much the producer may have, as of now; undefined where there is no bound. */
  quotaOf(producer: string): Quota | undefined;
  readonly retentionClasses: readonly RetentionClass[];
  readonly version: string;
  readonly backendIds: readonly string[];
  /**
   * Small files may be committed with the log, up to so many bytes each and in all; where absent, or with a length of
   * 0, none is. At most 200,000 wait, or `totalObjects`.
   */
  readonly hold?: { readonly longestBytes: number; readonly totalBytes: number; readonly totalObjects?: number };
  /** Who puts into their backends what is held; one of its own where absent. */
  readonly settler?: Settler;
  /** After this long without a change, a package that nobody sealed is abandoned. */
  readonly unfinalizedSeconds: number;
  /** How long an upload waits for its next byte; 86,400 where absent. */
  readonly uploadSeconds?: number;
  /** What write sessions are bounded by; what is absent is as docs/limits.md says. */
  readonly writeSessions?: Partial<WriteSessionBounds>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds of a clock that nobody sets, and that continues while the machine sleeps. */
  uptime(): number;
  /** A new UUIDv7. */
  newId(): string;
  /** Opens the directory of a backup; off, `write` makes nothing there and asks for a backup that is there. */
  openBackup(directory: string, options: { readonly write: boolean }): Promise<BackupPlace>;
  /** Told of what a caller is not told in full: bytes found damaged, clean-up that failed. For the log. */
  onIncident(incident: Incident): void;
}

export interface WriteSessionBounds {
  readonly objects: number;
  readonly bytes: number;
  /** The longest time from the opening to the commit. */
  readonly seconds: number;
  /** Open ones of one actor. */
  readonly open: number;
}

/**
 * Whether the bytes of an object that was found damaged are good now, read from end to end; records it when they are.
 */
export type Recheck = (actor: string, object: StoredObject, generation: number) => Promise<boolean>;

/** Brings a failed object's bytes back from another backend that has them, behind whoever noticed. */
export type Repair = (actor: string, backendId: string, contentAddress: ContentAddress) => void;

/**
 * Whether the bytes of a small file may be committed with the log. Beyond what may be held, in the database or in this
 * process's memory, and while a backend has not taken for long what is held for it, files take the direct way.
 */
export interface HoldRoom {
  /** The longest file that may be held; -1 where none is. */
  readonly longestBytes: number;
  /** True: the bytes have room, until `give`. */
  take(backendId: string, bytes: number): Promise<boolean>;
  give(bytes: number): void;
}

/**
 * Puts bytes that are held into their backends, durably, and then forgets them. It needs no lease: two that work at the
 * same key put the same bytes, and one that comes late finds in its transaction what became of the key. What it does
 * not get to stays held.
 */
export interface Settler {
  /** Settles these soon, behind whoever waits for something. */
  wake(held: readonly HeldName[]): void;
  /** Looks from now on for what others have left: processes that were stopped. */
  watch(): void;
  /** Somebody writes: settling waits for the end of that, or until too much waits. */
  noteWrite(): void;
  /** Whether the backend was full when something was to be put there last. */
  isFull(backendId: string): boolean;
  /** Settles what it was woken for and can settle within this time. */
  drain(milliseconds: number): Promise<void>;
  close(): void;
}

/** The parts as the facets see them. */
export interface Context extends RegistryParts {
  readonly clock: ClockWatch;
  readonly validator: MetadataValidator;
  readonly locate: Locate;
  readonly repair: Repair;
  readonly recheck: Recheck;
  readonly holdRoom: HoldRoom;
  readonly settler: Settler;
  readonly uploadWriters: UploadWriters;
  /** Does what holds much memory: few at a time, in turns of those it is done for. */
  takeLarge<T>(work: () => Promise<T>): Promise<T>;
  /** Reads stored bytes of this length to keep them elsewhere: as many at once as the caller has memory for. */
  takeStored<T>(bytes: number, work: () => Promise<T>): Promise<T>;
  /** Makes a short file durable whose bytes are in memory: likewise in turns. */
  takeFile<T>(backendId: string, work: () => Promise<T>): Promise<T>;
  /** Lets clean-up continue after the caller was answered; failures are incidents. */
  background(kind: IncidentKind, work: Promise<unknown>): void;
}
