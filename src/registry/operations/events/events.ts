import { sql } from '#kysely';
import type { Snapshot } from '../../../database/DATABASE.ts';
import { sameBytes, toHex } from '../../../kernel/content/digest.ts';
import { decodeCbor } from '../../../kernel/format/cbor.ts';
import { brokenLink, chainStart, type LogHead, type StoredEvent } from '../../../kernel/log/event.ts';
import { type ShownEvent, shownInPart } from '../../../kernel/log/event-audience.ts';
import { encodeEventPage, noPayload } from '../../../kernel/log/event-page.ts';
import type { EncodedEventPage, EventPage, EventRecord } from '../../REGISTRY.ts';
import { countHeld, type HeldCount } from '../held.ts';
import { maximumPageBytes } from '../page.ts';
import { type EventFilter, eventsAt, eventsIn, lastSequence, oneRangeOf } from './ranges.ts';

export interface ReadEvents extends EventFilter {
  readonly since: number;
  readonly limit: number;
}

/** For whoever sees the whole log, of what one index has. */
export async function readEvents(snapshot: Snapshot, input: ReadEvents): Promise<EventPage> {
  const { rows, next_since, last_sequence } = await readPage(snapshot, input);
  return { items: rows.map(eventRecord), next_since, last_sequence };
}

/**
 * The same as one canonical CBOR item: stored payloads are canonical already and are copied as they are. One that is
 * longer than a page is left out, and null in its place; such an event is the only one of its page.
 */
export interface ShortEventPage extends Omit<EncodedEventPage, 'long'> {
  readonly left_out: { readonly sequence: number; readonly size_bytes: number } | null;
}

export async function readShortEvents(snapshot: Snapshot, input: ReadEvents): Promise<ShortEventPage> {
  const { rows, left_out, ...ends } = await readPage(snapshot, input, noPayload);
  return shortPage(rows, left_out, ends);
}

/** So many bytes of an event's payload from there on, or as many as it has. */
export async function readPayload(
  { sql }: Snapshot,
  { sequence, from, length }: { readonly sequence: number; readonly from: number; readonly length: number },
): Promise<{ readonly bytes: Uint8Array }> {
  return await sql
    .selectFrom('events')
    .select(({ fn, val }) => fn<Uint8Array>('substr', ['payload', val(from + 1), val(length)]).as('bytes'))
    .where('sequence', '=', sequence)
    .executeTakeFirstOrThrow();
}

interface PageEnds {
  readonly next_since: number;
  readonly last_sequence: number;
}

/** What was found for a page, and to whom it is shown. */
export interface FoundEvents extends PageEnds {
  readonly sequences: readonly number[];
  /** Of all payloads together. */
  readonly bytes: number;
  /** Whether it sees the whole log, and if not, whether it may read all packages. */
  readonly whole: boolean;
  readonly all_packages: boolean;
}

export async function readFoundEvents(snapshot: Snapshot, input: FoundEvents): Promise<EventPage> {
  const { next_since, last_sequence, sequences } = input;
  const rows = await eventsAt(snapshot, sequences);
  return { items: rows.map((row) => eventRecord(shownTo(input, row))), next_since, last_sequence };
}

export async function readShortFoundEvents(snapshot: Snapshot, input: FoundEvents): Promise<ShortEventPage> {
  const { sequences, bytes } = input;
  const isLong = bytes > maximumPageBytes;
  const rows = await eventsAt(snapshot, sequences, isLong ? noPayload : undefined);
  const left_out = isLong ? { sequence: sequences[0]!, size_bytes: bytes } : null;
  // A payload that is left out is shown as it is: what is made of others is short.
  return shortPage(
    rows.map((row) => (isLong && !input.whole ? { ...row, chain_digest: null } : shownTo(input, row))),
    left_out,
    input,
  );
}

function shownTo({ whole, all_packages }: FoundEvents, event: StoredEvent): ShownEvent {
  return whole ? event : shownInPart(event, all_packages);
}

function shortPage(
  rows: readonly ShownEvent[],
  left_out: ShortEventPage['left_out'],
  { next_since, last_sequence }: PageEnds,
): ShortEventPage {
  return { bytes: encodeEventPage(rows, last_sequence, next_since), item_count: rows.length, next_since, last_sequence, left_out };
}

function eventRecord(event: ShownEvent): EventRecord {
  return {
    sequence: event.sequence,
    created_at: event.created_at,
    event_type: event.event_type,
    subject_kind: event.subject_kind,
    subject_id: event.subject_id,
    actor: event.actor,
    payload: decodeCbor(event.payload),
    payload_digest: `blake3:${toHex(event.payload_digest)}`,
    chain_digest: event.chain_digest === null ? null : `blake3:${toHex(event.chain_digest)}`,
  };
}

/** The whole log as a backup keeps it: `{items, last_sequence}` as one canonical CBOR item. */
export async function copyLog(
  snapshot: Snapshot,
  input: { readonly since: number; readonly limit: number },
): Promise<{ readonly bytes: Uint8Array; readonly item_count: number; readonly last_sequence: number }> {
  const { rows, last_sequence } = await readPage(snapshot, { ...everyEvent, ...input });
  return { bytes: encodeEventPage(rows, last_sequence), item_count: rows.length, last_sequence };
}

const everyEvent = { subject_kind: null, subject_id: null, event_type: null } as const;

export interface VerifiedEvents {
  readonly head: LogHead;
  /** The last sequence of the log. */
  readonly total: number;
  readonly reason: string | null;
}

/** Checks the next stretch of the log after `head`; the same head again means the end. */
export async function verifyEvents(
  snapshot: Snapshot,
  input: { readonly head: LogHead | null; readonly limit: number },
): Promise<VerifiedEvents> {
  let head = input.head ?? { sequence: 0, chain_digest: chainStart };
  const { rows, last_sequence } = await readPage(snapshot, {
    ...everyEvent,
    since: head.sequence,
    limit: input.limit,
  });
  for (const row of rows) {
    const reason = brokenLink(head, row);
    if (reason !== undefined) return { head, total: last_sequence, reason };
    head = { sequence: row.sequence, chain_digest: row.chain_digest };
  }
  return { head, total: last_sequence, reason: rows.length === 0 ? await cutOff(snapshot, head) : null };
}

/**
 * Events at the end that are not there any more: the chain of the others is whole without them, but the head knows. A
 * head that was lost says nothing, and is made again from the last event.
 */
async function cutOff(snapshot: Snapshot, end: LogHead): Promise<string | null> {
  const tables = await snapshot.sql.introspection.getTables();
  if (!tables.some(({ name }) => name === 'log_head')) return null;
  const head = await snapshot.sql.selectFrom('log_head').select(['sequence', 'chain_digest']).where('id', '=', 1).executeTakeFirst();
  if (head === undefined || (head.sequence === end.sequence && sameBytes(head.chain_digest, end.chain_digest))) return null;
  return `the log ends, but its head is event ${head.sequence}, blake3:${toHex(head.chain_digest)}`;
}

/** The last sequence, and how many locations of each backend are known to be damaged. */
export async function countHealth(
  snapshot: Snapshot,
  _input: Record<string, never>,
): Promise<{
  readonly last_sequence: number;
  readonly failed: Readonly<Record<string, number>>;
  /** The backends that files lie in. */
  readonly in_use: readonly string[];
  readonly held: readonly HeldCount[];
}> {
  const failed = await snapshot.sql
    .selectFrom('storage_locations')
    .select(['backend_id', ({ fn }) => fn.countAll<number>().as('count')])
    .where('state', '=', 'failed')
    .groupBy('backend_id')
    .execute();
  return {
    last_sequence: await lastSequence(snapshot),
    failed: Object.fromEntries(failed.map((row) => [row.backend_id, Number(row.count)])),
    in_use: await backendsInUse(snapshot),
    held: await countHeld(snapshot, {}),
  };
}

/** When the last event was written; null in an empty log. */
export async function lastEventTime({ sql }: Snapshot, _input: Record<string, never>): Promise<string | null> {
  const last = await sql.selectFrom('events').select('created_at').orderBy('sequence', 'desc').limit(1).executeTakeFirst();
  return last?.created_at ?? null;
}

/** One look into an index for each: there are few backends and many locations. */
async function backendsInUse(snapshot: Snapshot): Promise<readonly string[]> {
  const found: string[] = [];
  for (;;) {
    const next = await snapshot.sql
      .selectFrom('storage_locations')
      .select(({ fn }) => fn.min('backend_id').as('backend_id'))
      .where('state', '<>', sql.lit('deleted'))
      .where('backend_id', '>', found.at(-1) ?? '')
      .executeTakeFirst();
    if (next?.backend_id == null) return found;
    found.push(next.backend_id);
  }
}

interface ReadPage extends PageEnds {
  readonly rows: readonly StoredEvent[];
  readonly left_out: ShortEventPage['left_out'];
}

/** `instead` is put in the place of a payload that is longer than a page, where it is given. */
async function readPage(snapshot: Snapshot, input: ReadEvents, instead?: Uint8Array): Promise<ReadPage> {
  const last_sequence = await lastSequence(snapshot);
  const range = oneRangeOf(input) ?? {};
  const rows: StoredEvent[] = [];
  let bytes = 0;
  let since = input.since;
  let ended = false;
  // Read in short stretches: a page of giant manifests must not be loaded whole to be cut afterwards.
  while (rows.length < input.limit && since < last_sequence) {
    const query = eventsIn(snapshot, range, since);
    const wanted = Math.min(input.limit - rows.length, 1000);
    const sizes = query.select(['sequence', ({ fn }) => fn<number>('length', ['payload']).as('size')]).limit(wanted);
    const stretch = await snapshot.sql
      .selectFrom(sizes.as('sizes'))
      .select(({ fn }) => [fn.countAll<number>().as('count'), fn.max('sequence').as('end'), fn.sum<number>('size').as('size')])
      .executeTakeFirstOrThrow();
    ended = Number(stretch.count) < wanted;
    if (Number(stretch.count) === 0) break;
    let end = stretch.end;
    const cut = bytes + Number(stretch.size) > maximumPageBytes;
    if (!cut) bytes += Number(stretch.size);
    else {
      ended = false;
      end = since;
      for (const row of await sizes.execute()) {
        if (bytes > 0 && bytes + row.size > maximumPageBytes) break;
        bytes += row.size;
        end = row.sequence;
      }
      if (end === since) break;
      if (instead !== undefined && bytes > maximumPageBytes) {
        const long = await eventsAt(snapshot, [end], instead);
        return { rows: long, next_since: end, last_sequence, left_out: { sequence: end, size_bytes: bytes } };
      }
    }
    const found = await query.selectAll().where('sequence', '<=', end).execute();
    rows.push(...(found as StoredEvent[]));
    since = end;
    if (ended || cut) break;
  }
  return { rows, next_since: ended ? Math.max(since, last_sequence) : since, last_sequence, left_out: null };
}
