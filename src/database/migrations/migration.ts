import type { Kysely } from '#kysely';
import type { Clock } from '../clock.ts';
import type { Schema } from '../schema.ts';
import type { Dialect } from '../target.ts';

/** One step of the schema. Once released it never changes; what comes after is a new one. */
export interface Migration {
  readonly name: string;
  /** Runs inside the transaction that also records it. */
  up(dialect: Dialect, database: Kysely<Schema>, clock: Clock): Promise<void>;
  /**
   * What of it can be lost and made again: every table but the log and the registry's id, the indexes, and what keeps
   * views.
   */
  rebuildable(dialect: Dialect): Rebuildable;
}

/** Statements that do nothing where the thing is there. */
export interface Rebuildable {
  /** By the table's name. */
  readonly tables: Readonly<Record<string, string>>;
  readonly indexes: readonly string[];
  /** Names of indexes of earlier migrations that are no longer made. */
  readonly replaced?: readonly string[];
  /** By the trigger's name: what makes it and what it runs. They are on tables of this migration or of earlier ones. */
  readonly triggers?: Readonly<Record<string, readonly string[]>>;
}
