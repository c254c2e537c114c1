import type { BackupPlace } from '../backup/BACKUP.ts';
import type { Database } from '../database/DATABASE.ts';
import type { DataPlane, StoredObject } from '../dataplane/DATAPLANE.ts';
import type { Quota } from '../kernel/access.ts';
import type { ContentAddress } from '../kernel/content/address.ts';
import type { RetentionClass } from '../kernel/retention.ts';
import type { Incident, IncidentKind } from './incident.ts';
import type { MetadataValidator } from './metadata/validation.ts';
import type { Locate } from './objects/locate.ts';
import type { RegistryOperations } from './operations/operations.ts';
import type { ClockWatch } from './upkeep/clock-watch.ts';

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
  /** After this long without a change, a package that nobody sealed is abandoned. */
  readonly unfinalizedSeconds: number;
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

/**
 * Whether the bytes of an object that was found damaged are good now, read from end to end; records it when they are.
 */
export type Recheck = (actor: string, object: StoredObject, generation: number) => Promise<boolean>;

/** Brings a failed object's bytes back from another backend that has them, behind whoever noticed. */
export type Repair = (actor: string, backendId: string, contentAddress: ContentAddress) => void;

/** The parts as the facets see them. */
export interface Context extends RegistryParts {
  readonly clock: ClockWatch;
  readonly validator: MetadataValidator;
  readonly locate: Locate;
  readonly repair: Repair;
  readonly recheck: Recheck;
  /** Does what holds much memory: few at a time, in turns of those it is done for. */
  takeLarge<T>(work: () => Promise<T>): Promise<T>;
  /** Makes a short file durable whose bytes are in memory: likewise in turns. */
  takeFile<T>(backendId: string, work: () => Promise<T>): Promise<T>;
  /** Lets clean-up continue after the caller was answered; failures are incidents. */
  background(kind: IncidentKind, work: Promise<unknown>): void;
}
