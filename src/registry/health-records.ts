import type { ProducerRecord } from './usage-records.ts';

export interface Health {
  readonly status: 'ok' | 'degraded';
  readonly version: string;
  readonly db: { readonly healthy: boolean; readonly detail: string };
  /** The default one. */
  readonly backend: BackendHealth;
  readonly backends: readonly BackendHealth[];
  readonly last_sequence: number;
  /** Whether the machine's clock can be believed; while it cannot, nothing is swept or collected. */
  readonly clock: { readonly healthy: boolean; readonly detail: string };
  /** Of the file that says who may do what, where there is one; not healthy while a newer version is refused. */
  readonly access_file?: AccessFileHealth;
  /** Some of the producers that have a quota, the fullest first. A full quota is no ill health. */
  readonly producers?: readonly ProducerRecord[];
}

export interface AccessFileHealth {
  readonly healthy: boolean;
  readonly detail: string;
  readonly loaded_at: string;
  /** Whose signatures count; not healthy while its keys cannot be had. */
  readonly issuers: readonly IssuerHealth[];
}

export interface IssuerHealth {
  readonly issuer: string;
  readonly healthy: boolean;
  readonly detail: string;
  /** How many of its keys are known, and when they were read; null where they have not been needed yet. */
  readonly keys: number;
  readonly read_at: string | null;
}

export interface BackendHealth {
  readonly backend_id: string;
  readonly healthy: boolean;
  /** There is no room to write, and nothing else is wrong: reads continue. */
  readonly full?: true;
  readonly detail: string;
  /** Its keys cannot be read from where they are kept, for so long: a warning while those that were read work. */
  readonly keys_unread_seconds?: number;
  readonly free_bytes: number | null;
  readonly total_bytes: number | null;
  readonly failed_locations: number;
  /**
   * Small objects whose bytes are in the database alone, until the backend has them; null where that is not known, or
   * not told.
   */
  readonly held_objects: number | null;
  readonly held_bytes: number | null;
}
