import { sql } from '#kysely';
import type { Snapshot } from '../../database/DATABASE.ts';
import { sameBytes, toHex } from '../../kernel/content/digest.ts';
import { decodeCbor } from '../../kernel/format/cbor.ts';
import { brokenLink, chainStart, type LogHead, type StoredEvent } from '../../kernel/log/event.ts';
import { encodeEventPage, noPayload } from '../../kernel/log/event-page.ts';
import type { EncodedEventPage, EventPage } from '../REGISTRY.ts';
import { maximumPageBytes } from './page.ts';

export interface ReadEvents {
  readonly since: number;
  readonly limit: number;
  readonly subject_kind: string | null;
  readonly subject_id: string | null;
  readonly event_type: string | null;
}

export async function readEvents(snapshot: Snapshot, input: ReadEvents): Promise<EventPage> {
  const { rows, last_sequence } = await readPage(snapshot, input);
  return {
    items: rows.map((row) => ({
      sequence: row.sequence,
      created_at: row.created_at,
      event_type: row.event_type,
      subject_kind: row.subject_kind,
      subject_id: row.subject_id,
      actor: row.actor,
      payload: decodeCbor(row.payload),
      payload_digest: `blake3:${toHex(row.payload_digest)}`,
      chain_digest: `blake3:${toHex(row.chain_digest)}`,
    })),
    last_sequence,
  };
}

/** The same as one canonical CBOR item: stored payloads are canonical already and are copied as they are. */
export async function readEncodedEvents(snapshot: Snapshot, input: ReadEvents): Promise<Omit<EncodedEventPage, 'long'>> {
  return encoded(input, await readPage(snapshot, input));
}

/**
 * The same; a payload that is longer than a page is left out, and null in its place. Such an event is the only one of
 * its page.
 */
export async function readShortEvents(
  snapshot: Snapshot,
  input: ReadEvents,
): Promise<Omit<EncodedEventPage, 'long'> & { readonly payload_size: number | null }> {
  const page = await readPage(snapshot, input, noPayload);
  return { ...encoded(input, page), payload_size: page.left_out };
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

function encoded(input: ReadEvents, { rows, last_sequence }: ReadPage): Omit<EncodedEventPage, 'long'> {
  return {
    bytes: encodeEventPage(rows, last_sequence),
    item_count: rows.length,
    end_sequence: rows.at(-1)?.sequence ?? input.since,
    last_sequence,
  };
}

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
    since: head.sequence,
    limit: input.limit,
    subject_kind: null,
    subject_id: null,
    event_type: null,
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

interface ReadPage {
  readonly rows: readonly StoredEvent[];
  readonly last_sequence: number;
  /** The length of the payload in whose place something else is. */
  readonly left_out: number | null;
}

/** `instead` is put in the place of a payload that is longer than a page, where it is given. */
async function readPage(snapshot: Snapshot, input: ReadEvents, instead?: Uint8Array): Promise<ReadPage> {
  const last_sequence = await lastSequence(snapshot);
  const rows: StoredEvent[] = [];
  let bytes = 0;
  let since = input.since;
  // Read in short stretches: a page of giant manifests must not be loaded whole to be cut afterwards.
  while (rows.length < input.limit && since < last_sequence) {
    let query = snapshot.sql.selectFrom('events').where('sequence', '>', since).orderBy('sequence');
    if (input.subject_kind !== null) query = query.where('subject_kind', '=', input.subject_kind);
    if (input.subject_id !== null) query = query.where('subject_id', '=', input.subject_id);
    if (input.event_type !== null) query = query.where('event_type', '=', input.event_type);
    const wanted = Math.min(input.limit - rows.length, 1000);
    const sizes = query.select(['sequence', ({ fn }) => fn<number>('length', ['payload']).as('size')]).limit(wanted);
    const stretch = await snapshot.sql
      .selectFrom(sizes.as('sizes'))
      .select(({ fn }) => [fn.countAll<number>().as('count'), fn.max('sequence').as('end'), fn.sum<number>('size').as('size')])
      .executeTakeFirstOrThrow();
    if (Number(stretch.count) === 0) break;
    let end = stretch.end;
    let whole = Number(stretch.count) === wanted;
    if (bytes + Number(stretch.size) <= maximumPageBytes) bytes += Number(stretch.size);
    else {
      end = since;
      for (const row of await sizes.execute()) {
        if (bytes > 0 && bytes + row.size > maximumPageBytes) break;
        bytes += row.size;
        end = row.sequence;
      }
      if (end === since) break;
      whole = false;
      if (instead !== undefined && bytes > maximumPageBytes) {
        const row = await query.select(allButPayload).executeTakeFirstOrThrow();
        return { rows: [{ ...row, payload: instead } as StoredEvent], last_sequence, left_out: bytes };
      }
    }
    const found = await query.selectAll().where('sequence', '<=', end).execute();
    rows.push(...(found as StoredEvent[]));
    since = end;
    if (!whole) break;
  }
  return { rows, last_sequence, left_out: null };
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

async function lastSequence(snapshot: Snapshot): Promise<number> {
  const row = await snapshot.sql.selectFrom('events').select('sequence').orderBy('sequence', 'desc').limit(1).executeTakeFirst();
  return row?.sequence ?? 0;
}
