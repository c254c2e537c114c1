import type { Expression, Kysely } from '#kysely';
import type { Snapshot } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import type { Quota } from '../../kernel/access.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';

// What a producer has is read in the transaction that adds to it, which has the log for itself: however many processes
// write, a quota is never passed.

/** What the request asks for, at a producer's quota. */
export interface Asked {
  readonly producer: string;
  readonly quota: Quota | null;
  /** Of files that are not in their package yet; each counts by its size, be its bytes shared or not. */
  readonly bytes: number;
}

/** Throws `quota_exceeded` where the bytes do not fit. Exactly the bound is allowed. */
export function requireBytes(read: Used, { producer, quota, bytes }: Asked): void {
  const maximum = quota?.maximum_bytes ?? null;
  if (maximum === null) return;
  const used = read.get(producer)?.bytes ?? 0;
  if (used + bytes > maximum) throw bytesExceeded(producer, { maximum, used, asked: bytes });
}

/** What producers have, by their names; the transaction that adds to it notes that here. */
export type Used = Map<string, { readonly packages: number; readonly bytes: number }>;

/** `producers` is a list of names or a query that gives them. */
export async function readUsed(
  database: Kysely<Schema>,
  producers: readonly string[] | Expression<{ readonly producer: string }>,
): Promise<Used> {
  if (Array.isArray(producers) && producers.length === 0) return new Map();
  const rows = await database
    .selectFrom('producer_usage')
    .select(['producer', 'packages', 'bytes'])
    .where('producer', 'in', producers as readonly string[])
    .execute();
  return new Map(rows.map(({ producer, packages, bytes }) => [producer, { packages, bytes }]));
}

/** Notes what a decision adds, for those after it. */
export function noteBytes(used: Used, producer: string, bytes: number): void {
  const before = used.get(producer) ?? nothing;
  used.set(producer, { ...before, bytes: before.bytes + bytes });
}

export function notePackage(used: Used, producer: string): void {
  const before = used.get(producer) ?? nothing;
  used.set(producer, { ...before, packages: before.packages + 1 });
}

const nothing = { packages: 0, bytes: 0 };

/** Throws `quota_exceeded` where the producer may have no further package. */
export function requireOnePackage(read: Used, producer: string, quota: Quota | null): void {
  const maximum = quota?.maximum_packages ?? null;
  if (maximum === null) return;
  const used = read.get(producer)?.packages ?? 0;
  if (used + 1 <= maximum) return;
  throw new ArtifactstoreError(
    'quota_exceeded',
    `The producer "${producer}" has ${used} packages, and its quota is ${maximum}; abandon or collect some, or have the quota raised.`,
    { field: '/producer', info: { producer, maximum_packages: maximum, used, asked: 1 } },
  );
}

export function bytesExceeded(
  producer: string,
  { maximum, used, asked }: { readonly maximum: number; readonly used: number; readonly asked: number },
): ArtifactstoreError {
  return new ArtifactstoreError(
    'quota_exceeded',
    `The producer "${producer}" has ${used} bytes of its quota of ${maximum}, and ${asked} more do not fit; ` +
      'abandon or collect packages of it, or have the quota raised.',
    { info: { producer, maximum_bytes: maximum, used, asked } },
  );
}

/** What a producer has, and which of the paths are in the package already, at the same moment. */
export async function readRoom(
  { sql: queries }: Snapshot,
  input: {
    readonly producer: string;
    readonly package_id: string;
    /** Relative paths. */
    readonly items: readonly string[];
  },
): Promise<{ readonly used_bytes: number; readonly there: readonly string[] }> {
  const there: string[] = [];
  for (let start = 0; start < input.items.length; start += 500)
    for (const { relative_path } of await queries
      .selectFrom('artifact_files')
      .select('relative_path')
      .where('package_id', '=', input.package_id)
      .where('relative_path', 'in', input.items.slice(start, start + 500))
      .execute())
      there.push(relative_path);
  return { used_bytes: (await usageOf(queries, input.producer)).bytes, there };
}

async function usageOf(database: Kysely<Schema>, producer: string): Promise<{ readonly packages: number; readonly bytes: number }> {
  const row = await database.selectFrom('producer_usage').select(['packages', 'bytes']).where('producer', '=', producer).executeTakeFirst();
  return row ?? nothing;
}
