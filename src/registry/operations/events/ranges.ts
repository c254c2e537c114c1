import type { SelectQueryBuilder } from '#kysely';
import type { Snapshot } from '../../../database/DATABASE.ts';
import type { Schema } from '../../../database/schema.ts';
import { type EventHeader, type StoredEvent, subjectKinds } from '../../../kernel/log/event.ts';
import { kindOfType } from '../../../kernel/log/event-audience.ts';

/** What events are asked for; null for any. */
export interface EventFilter {
  readonly subject_kind: string | null;
  readonly subject_id: string | null;
  readonly event_type: string | null;
}

/** Events that one index has in the order of the log; all of it when nothing is said. */
export type EventRange = { readonly [Column in keyof EventFilter]?: string };

/** The one range that is what is asked for, or undefined where it is several, or none. */
export function oneRangeOf({ subject_kind, subject_id, event_type }: EventFilter): EventRange | undefined {
  const kind = event_type === null ? undefined : kindOfType(event_type);
  if (kind !== undefined && subject_kind !== null && subject_kind !== kind) return undefined;
  const type = event_type === null ? {} : { event_type };
  const subjectKind = subject_kind ?? kind;
  if (subject_id !== null) return subjectKind === undefined ? undefined : { subject_kind: subjectKind, subject_id, ...type };
  if (event_type !== null) return kind === undefined && subject_kind !== null ? { ...type, subject_kind } : type;
  return subject_kind === null ? {} : undefined;
}

/**
 * The ranges that together are what is asked for, so that finding the next few events takes as long as there are few of
 * them: a condition that no index has would be tried on every event of the log.
 */
export async function rangesOf(snapshot: Snapshot, filter: EventFilter): Promise<readonly EventRange[]> {
  const one = oneRangeOf(filter);
  if (one !== undefined) return [one];
  const { subject_kind, subject_id, event_type } = filter;
  // A type of events about another kind.
  if (event_type !== null && subject_kind !== null) return [];
  if (subject_id !== null) {
    const kinds = new Set([...subjectKinds, ...(await namesIn(snapshot, 'subject_kind'))]);
    return Array.from(kinds, (kind) => ({ subject_kind: kind, subject_id, ...(event_type === null ? {} : { event_type }) }));
  }
  const types = await namesIn(snapshot, 'event_type');
  return types
    .filter((type) => (kindOfType(type) ?? subject_kind) === subject_kind)
    .map((type) => ({ event_type: type, ...(subject_kind === null ? {} : { subject_kind }) }));
}

/** What stands there in the log: there are few, and each is one look into an index. */
async function namesIn({ sql }: Snapshot, column: 'event_type' | 'subject_kind'): Promise<readonly string[]> {
  const found: string[] = [];
  for (;;) {
    const next = await sql
      .selectFrom('events')
      .select(({ fn }) => fn.min<string | null>(column).as('name'))
      .where(column, '>', found.at(-1) ?? '')
      .executeTakeFirst();
    if (next?.name == null) return found;
    found.push(next.name);
  }
}

/** Events of a range, in order. */
export function eventsIn({ sql }: Snapshot, range: EventRange, since: number): SelectQueryBuilder<Schema, 'events', object> {
  let query = sql.selectFrom('events').where('sequence', '>', since).orderBy('sequence');
  for (const column of ['subject_kind', 'subject_id', 'event_type'] as const) {
    const value = range[column];
    if (value !== undefined) query = query.where(column, '=', value);
  }
  return query;
}

/** An event without what can be long, and the bytes of its payload. */
export type EventOutline = Pick<EventHeader, 'sequence' | 'event_type' | 'subject_kind' | 'subject_id'> & { readonly size: number };

export interface Outlines {
  readonly items: readonly EventOutline[];
  /** The sequence up to which these are all that there are; null where there are no others after them. */
  readonly through: number | null;
}

/** The next events of all these ranges; about `count` are looked at. */
export async function outlinesAfter(snapshot: Snapshot, ranges: readonly EventRange[], since: number, count: number): Promise<Outlines> {
  const each = Math.ceil(count / Math.max(ranges.length, 1));
  const found: EventOutline[] = [];
  let through = Number.POSITIVE_INFINITY;
  for (const range of ranges) {
    const rows = await eventsIn(snapshot, range, since)
      .select(['sequence', 'event_type', 'subject_kind', 'subject_id', ({ fn }) => fn<number>('length', ['payload']).as('size')])
      .limit(each)
      .execute();
    found.push(...rows.map((row) => ({ ...row, size: Number(row.size) })));
    if (rows.length === each) through = Math.min(through, rows.at(-1)!.sequence);
  }
  const items = found.filter(({ sequence }) => sequence <= through).sort((left, right) => left.sequence - right.sequence);
  return { items, through: Number.isFinite(through) ? through : null };
}

/** The events with these sequences, in order, with `instead` in the place of their payloads where it is given. */
export async function eventsAt({ sql }: Snapshot, sequences: readonly number[], instead?: Uint8Array): Promise<readonly StoredEvent[]> {
  if (sequences.length === 0) return [];
  const query = sql.selectFrom('events').where('sequence', 'in', sequences).orderBy('sequence');
  if (instead === undefined) return (await query.selectAll().execute()) as StoredEvent[];
  const rows = await query.select(allButPayload).execute();
  return rows.map((row) => ({ ...row, payload: instead }) as StoredEvent);
}

const allButPayload = [
  'sequence',
  'created_at',
  'event_type',
  'subject_kind',
  'subject_id',
  'actor',
  'payload_digest',
  'chain_digest',
] as const;

export async function lastSequence({ sql }: Snapshot): Promise<number> {
  const row = await sql.selectFrom('events').select('sequence').orderBy('sequence', 'desc').limit(1).executeTakeFirst();
  return row?.sequence ?? 0;
}
