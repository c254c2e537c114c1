import type { Expression, Kysely } from '#kysely';
import type { Snapshot } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import type { Quota } from '../../kernel/access.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Timestamp } from '../../kernel/time.ts';
import { drawn, type Reservation, readReservations, reservedBy } from './write-sessions/reservations.ts';

// What a producer has is read in the transaction that adds to it, which has the log for itself: however many processes
// write, a quota is never passed. What open write sessions hold of it counts as well, for all but themselves
// (`reservations.ts`).

/** What the request asks for, at a producer's quota. */
export interface Asked {
  readonly producer: string;
  readonly quota: Quota | null;
  /** Of files that are not in their package yet; each counts by its size, be its bytes shared or not. */
  readonly bytes: number;
  /** Where the files go: what the write session of that package holds is for them. */
  readonly package_id?: string;
}

/** Throws `quota_exceeded` where the bytes do not fit. Exactly the bound is allowed. */
export function requireBytes(read: Used, { producer, quota, bytes, package_id }: Asked): void {
  const maximum = quota?.maximum_bytes ?? null;
  if (maximum === null) return;
  const { bytes: used, reservations } = read.get(producer) ?? nothing;
  const reserved = reservedBy(reservations, { package_id }).bytes;
  if (used + reserved + bytes > maximum) throw bytesExceeded(producer, { maximum, used, reserved, asked: bytes });
}

/** What a producer has, and what its open write sessions hold. */
export interface UsedBy {
  readonly packages: number;
  readonly bytes: number;
  readonly reservations: readonly Reservation[];
}

/** By the names of producers; the transaction that adds to it notes that here. */
export type Used = Map<string, UsedBy>;

/**
 * `producers` is a list of names or a query that gives them. Without a time nothing is said of reservations: they end
 * with it.
 */
export async function readUsed(
  database: Kysely<Schema>,
  producers: readonly string[] | Expression<{ readonly producer: string }>,
  now: Timestamp | null,
): Promise<Used> {
  if (Array.isArray(producers) && producers.length === 0) return new Map();
  const [rows, reservations] = await Promise.all([
    database
      .selectFrom('producer_usage')
      .select(['producer', 'packages', 'bytes'])
      .where('producer', 'in', producers as readonly string[])
      .execute(),
    now === null ? new Map<string, Reservation[]>() : readReservations(database, producers, now),
  ]);
  const used: Used = new Map(rows.map(({ producer, packages, bytes }) => [producer, { packages, bytes, reservations: [] }]));
  for (const [producer, held] of reservations) used.set(producer, { ...(used.get(producer) ?? nothing), reservations: held });
  return used;
}

/** Notes what a decision adds to a package, for those after it. */
export function noteBytes(used: Used, producer: string, package_id: string, bytes: number): void {
  const before = used.get(producer) ?? nothing;
  used.set(producer, {
    ...before,
    bytes: before.bytes + bytes,
    reservations: drawn(before.reservations, package_id, bytes),
  });
}

export function notePackage(used: Used, producer: string): void {
  const before = used.get(producer) ?? nothing;
  used.set(producer, { ...before, packages: before.packages + 1 });
}

const nothing: UsedBy = { packages: 0, bytes: 0, reservations: [] };

/** Throws `quota_exceeded` where the producer may have no further package. What `session_id` holds is for this one. */
export function requireOnePackage(read: Used, producer: string, quota: Quota | null, session_id?: string): void {
  const maximum = quota?.maximum_packages ?? null;
  if (maximum === null) return;
  const { packages: used, reservations } = read.get(producer) ?? nothing;
  const reserved = reservedBy(reservations, { session_id }).packages;
  if (used + reserved + 1 <= maximum) return;
  throw new ArtifactstoreError(
    'quota_exceeded',
    `The producer "${producer}" has ${used} packages${alsoReserved(reserved, '')}, and its quota is ${maximum}; ` +
      `${waysOut(reserved, 'some')}, or have the quota raised.`,
    { field: '/producer', info: { producer, maximum_packages: maximum, used, ...(reserved > 0 ? { reserved } : {}), asked: 1 } },
  );
}

/** `reserved` is what open write sessions hold besides. */
export function bytesExceeded(
  producer: string,
  { maximum, used, reserved, asked }: Readonly<Record<'maximum' | 'used' | 'reserved' | 'asked', number>>,
): ArtifactstoreError {
  return new ArtifactstoreError(
    'quota_exceeded',
    `The producer "${producer}" has ${used} bytes of its quota of ${maximum}${alsoReserved(reserved, ' bytes')}, and ${asked} more ` +
      `do not fit; ${waysOut(reserved, 'packages of it')}, or have the quota raised.`,
    { info: { producer, maximum_bytes: maximum, used, ...(reserved > 0 ? { reserved } : {}), asked } },
  );
}

function alsoReserved(reserved: number, unit: string): string {
  return reserved === 0 ? '' : `, its open write sessions hold ${reserved}${unit} of it`;
}

function waysOut(reserved: number, what: string): string {
  return `abandon or collect ${what}${reserved === 0 ? '' : ', commit or abort write sessions'}`;
}

/**
 * What a producer has, what write sessions of other packages hold, and which of the paths are in the package already,
 * at the same moment.
 */
export async function readRoom(
  { sql: queries }: Snapshot,
  input: {
    readonly producer: string;
    readonly package_id: string;
    /** Relative paths. */
    readonly items: readonly string[];
    readonly now: Timestamp;
  },
): Promise<{ readonly used_bytes: number; readonly reserved_bytes: number; readonly there: readonly string[] }> {
  const there: string[] = [];
  for (let start = 0; start < input.items.length; start += 500)
    for (const { relative_path } of await queries
      .selectFrom('artifact_files')
      .select('relative_path')
      .where('package_id', '=', input.package_id)
      .where('relative_path', 'in', input.items.slice(start, start + 500))
      .execute())
      there.push(relative_path);
  const { bytes, reservations } = (await readUsed(queries, [input.producer], input.now)).get(input.producer) ?? nothing;
  return { used_bytes: bytes, reserved_bytes: reservedBy(reservations, { package_id: input.package_id }).bytes, there };
}
