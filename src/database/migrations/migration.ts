import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Schema } from '../schema.ts';

export type Dialect = 'sqlite' | 'postgres';

/** One step of the schema. Once released it never changes; what comes after is a new one. */
export interface Migration {
  readonly name: string;
  /** Runs inside the transaction that also records it. */
  up(dialect: Dialect, database: Kysely<Schema>, clock: Clock): Promise<void>;
}
