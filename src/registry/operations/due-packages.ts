import { type Kysely, type RawBuilder, type SelectQueryBuilder, type SqlBool, sql } from '#kysely';
import type { Schema } from '../../database/schema.ts';

// Which packages are due: to be marked by a sweep, and to be collected. `cross join`, and an order by the columns of an
// index: SQLite, which has no statistics, would begin with all sealed packages and sort them, for every step.

/** The last that a step marked. */
export interface DuePackage {
  readonly package_id: string;
  readonly expires_at: string;
}

type Tables = Schema & { r: Schema['retention_state']; p: Schema['artifact_packages'] };

/** Expired, sealed, not held and not marked yet, behind the one given: those that expired first come first. */
export function expiredPackages(
  database: Kysely<Schema>,
  now: string,
  after: DuePackage | null,
): SelectQueryBuilder<Tables, 'r' | 'p', { package_id: string; expires_at: string | null }> {
  const due = database
    .selectFrom('retention_state as r')
    .crossJoin('artifact_packages as p')
    .select(['r.package_id', 'r.expires_at'])
    .whereRef('p.id', '=', 'r.package_id')
    .where('r.expires_at', 'is not', null)
    .where('r.expires_at', '<=', now)
    .where('r.eligible_at', 'is', null)
    .where('r.ended_at', 'is', null)
    .where('p.status', '=', 'finalized')
    .where(notHeld('r.package_id'))
    .orderBy('r.expires_at')
    .orderBy('r.package_id');
  return after === null ? due : due.where(sql<SqlBool>`(r.expires_at, r.package_id) > (${after.expires_at}, ${after.package_id})`);
}

/** Marked, still expired, sealed and not held: those that were marked first come first. */
export function eligiblePackages(
  database: Kysely<Schema>,
  now: string,
): SelectQueryBuilder<Tables, 'r' | 'p', { id: string; live_locations: number }> {
  return database
    .selectFrom('retention_state as r')
    .crossJoin('artifact_packages as p')
    .select(['p.id', 'p.live_locations'])
    .whereRef('p.id', '=', 'r.package_id')
    .where('r.eligible_at', 'is not', null)
    .where('r.ended_at', 'is', null)
    .where('r.expires_at', '<=', now)
    .where('p.status', '=', 'finalized')
    .where(notHeld('r.package_id'))
    .orderBy('r.eligible_at')
    .orderBy('r.package_id');
}

export function notHeld(packageId: string): RawBuilder<SqlBool> {
  return sql`not exists (select 1 from retention_holds as h where h.package_id = ${sql.ref(packageId)} and h.released_at is null)`;
}
