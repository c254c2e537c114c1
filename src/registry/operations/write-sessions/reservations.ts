import { type Expression, type Kysely, sql } from '#kysely';
import type { Schema } from '../../../database/schema.ts';
import type { Timestamp } from '../../../kernel/time.ts';

/**
 * What a write session holds of its producer's quota, from its opening to its commit, abort or expiry: what it
 * announced and its package does not have yet.
 */
export interface Reservation {
  readonly session_id: string;
  /** The package of its commit; null before that. */
  readonly package_id: string | null;
  readonly bytes: number;
  /** 1 until its package is there. */
  readonly packages: 0 | 1;
}

/** By producer, of those that hold anything. `producers` as for `readUsed`. */
export async function readReservations(
  database: Kysely<Schema>,
  producers: readonly string[] | Expression<{ readonly producer: string }>,
  now: Timestamp,
): Promise<Map<string, Reservation[]>> {
  const rows = await database
    .selectFrom('write_sessions as s')
    .leftJoin('artifact_packages as p', 'p.id', 's.package_id')
    .select(['s.id', 's.producer', 's.package_id', 's.total_bytes', 'p.status', 'p.total_bytes as filled'])
    .where('s.state', 'in', ['open', 'committing'])
    .where(({ or, eb }) => or([eb('s.state', '=', 'committing'), eb('s.expires_at', '>', now)]))
    // Of the sessions of a producer nearly all are committed: the index of states has the few that are not.
    .where(sql<string>`s.producer || ''`, 'in', producers as readonly string[])
    .execute();
  const reservations = new Map<string, Reservation[]>();
  for (const { id: session_id, producer, package_id, total_bytes, status, filled } of rows) {
    const counts = status === 'created' || status === 'finalized';
    const bytes = Math.max(0, total_bytes - (counts ? (filled ?? 0) : 0));
    const own = reservations.get(producer) ?? [];
    own.push({ session_id, package_id, bytes, packages: counts ? 0 : 1 });
    reservations.set(producer, own);
  }
  return reservations;
}

/** Without that of a session, or of the one that fills a package. */
export function reservedBy(
  reservations: readonly Reservation[],
  except: { readonly session_id?: string | undefined; readonly package_id?: string | undefined },
): { readonly packages: number; readonly bytes: number } {
  const { session_id, package_id } = except;
  const others = reservations.filter(
    (each) => each.session_id !== session_id && (package_id === undefined || each.package_id !== package_id),
  );
  return {
    packages: others.reduce((sum, { packages }) => sum + packages, 0),
    bytes: others.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** After so many bytes came into the package. */
export function drawn(reservations: readonly Reservation[], package_id: string, bytes: number): readonly Reservation[] {
  return reservations.map((each) => (each.package_id === package_id ? { ...each, bytes: Math.max(0, each.bytes - bytes) } : each));
}
