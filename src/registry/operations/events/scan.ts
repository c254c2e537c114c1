import type { Snapshot } from '../../../database/DATABASE.ts';
import type { Schema } from '../../../database/schema.ts';
import { inScope, type Scope } from '../../../kernel/access.ts';
import { type Audience, audienceOf } from '../../../kernel/log/event-audience.ts';
import { maximumPageBytes } from '../page.ts';
import { type EventFilter, type EventOutline, lastSequence, outlinesAfter, rangesOf } from './ranges.ts';

/** What somebody may see of the log. */
export interface Sight {
  /** The producers whose packages it may read. */
  readonly reads: Scope;
  readonly observes: boolean;
}

export interface ScanEvents extends EventFilter {
  readonly since: number;
  /** What has room on the page: so many events, after `bytes` that it has already. */
  readonly limit: number;
  readonly bytes: number;
  /** About so many events are looked at. */
  readonly span: number;
  readonly sight: Sight;
}

export interface ScannedEvents {
  readonly sequences: readonly number[];
  /** Of the page, with those before. */
  readonly bytes: number;
  /** Whether the page has no room for the next one. */
  readonly full: boolean;
  /** Up to where the log was looked at. */
  readonly next_since: number;
  readonly last_sequence: number;
}

/** Which of the next events that are asked for may be seen. */
export async function scanEvents(snapshot: Snapshot, input: ScanEvents): Promise<ScannedEvents> {
  const last_sequence = await lastSequence(snapshot);
  const { items, through } = await outlinesAfter(snapshot, await rangesOf(snapshot, input), input.since, input.span);
  const sequences: number[] = [];
  let { bytes } = input;
  for (const { sequence, size } of await visible(snapshot, items, input.sight)) {
    if (bytes > 0 && bytes + size > maximumPageBytes)
      return { sequences, bytes, full: true, next_since: sequences.at(-1) ?? sequence - 1, last_sequence };
    bytes += size;
    sequences.push(sequence);
    if (sequences.length === input.limit) return { sequences, bytes, full: true, next_since: sequence, last_sequence };
  }
  return { sequences, bytes, full: false, next_since: through ?? Math.max(input.since, last_sequence), last_sequence };
}

async function visible(
  snapshot: Snapshot,
  outlines: readonly EventOutline[],
  { reads, observes }: Sight,
): Promise<readonly EventOutline[]> {
  const all = reads === 'everything';
  const audiences = new Map(outlines.map((outline) => [outline, audienceOf(outline)]));
  const sees = all ? () => true : await packageSight(snapshot, [...audiences.values()], reads);
  return outlines.filter((outline) => {
    const audience = audiences.get(outline)!;
    if (audience === 'observers') return observes;
    return audience === 'readers' ? reads.length > 0 : sees(audience);
  });
}

type OfPackage = Exclude<Audience, string>;

/** Whether it is, or belongs to, a package whose producer is in the scope; what is not known to anybody is not. */
async function packageSight(snapshot: Snapshot, audiences: readonly Audience[], reads: Scope): Promise<(of: OfPackage) => boolean> {
  const ids = { package: new Set<string>(), file: new Set<string>(), location: new Set<string>() };
  for (const audience of audiences) if (typeof audience === 'object') ids[audience.of].add(audience.id);
  const packageOf = {
    file: await packagesOf(snapshot, 'artifact_files', ids.file),
    location: await packagesOf(snapshot, 'storage_locations', ids.location),
  };
  const packages = new Set([...ids.package, ...packageOf.file.values(), ...packageOf.location.values()]);
  const rows =
    packages.size === 0
      ? []
      : await snapshot.sql
          .selectFrom('artifact_packages')
          .select(['id', 'producer'])
          .where('id', 'in', [...packages])
          .execute();
  const producers = new Set(rows.map(({ producer }) => producer));
  const inside = new Set([...producers].filter((producer) => inScope(reads, producer)));
  const seen = new Set(rows.filter(({ producer }) => inside.has(producer)).map(({ id }) => id));
  return ({ of, id }) => seen.has((of === 'package' ? id : packageOf[of].get(id)) ?? '');
}

async function packagesOf(
  { sql }: Snapshot,
  table: keyof Pick<Schema, 'artifact_files' | 'storage_locations'>,
  ids: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  if (ids.size === 0) return new Map();
  const rows = await sql
    .selectFrom(table)
    .select(['id', 'package_id'])
    .where('id', 'in', [...ids])
    .execute();
  return new Map(rows.map(({ id, package_id }) => [id, package_id]));
}
