import type { Snapshot, Transaction } from '../../database/DATABASE.ts';
import { readObjects } from './objects.ts';

/** An object that the log says is there, with the locations that claim it. */
export interface VerifiableObject {
  readonly content_address: string;
  readonly generation: number;
  readonly object_key: string;
  readonly size_bytes: number;
  readonly digest_sha256: string;
  readonly failed: boolean;
}

export interface ListVerifiable {
  readonly backend_id: string;
  /** The content address after which to continue. */
  readonly after: string | null;
  readonly limit: number;
  /**
   * Leaves out objects whose bytes were found right at this time or later: one of the locations that share them says it
   * for all.
   */
  readonly not_verified_since: string | null;
}

export async function listVerifiable(snapshot: Snapshot, input: ListVerifiable): Promise<readonly VerifiableObject[]> {
  const { backend_id: backendId, after, not_verified_since: notVerifiedSince } = input;
  let query = snapshot.sql
    .selectFrom('storage_objects as o')
    .select(['o.content_address', 'o.live_generation', 'o.object_key', 'o.size_bytes', 'o.digest_sha256', 'o.state'])
    .where('o.backend_id', '=', backendId)
    .where('o.live_generation', 'is not', null);
  if (after !== null) query = query.where('o.content_address', '>', after);
  if (notVerifiedSince !== null)
    query = query.where(({ exists, not, selectFrom }) =>
      not(
        exists(
          selectFrom('storage_locations as l')
            .select('l.id')
            .whereRef('l.content_address', '=', 'o.content_address')
            .whereRef('l.generation', '=', 'o.live_generation')
            .where('l.backend_id', '=', backendId)
            .where('l.state', '<>', 'deleted')
            .where('l.state', '=', 'verified')
            .where('l.verified_at', '>=', notVerifiedSince),
        ),
      ),
    );
  const rows = await query.orderBy('o.content_address').limit(input.limit).execute();
  return rows.map((row) => ({
    content_address: row.content_address,
    generation: row.live_generation!,
    object_key: row.object_key!,
    size_bytes: row.size_bytes!,
    digest_sha256: row.digest_sha256!,
    failed: row.state === 'failed',
  }));
}

export interface RecordVerified {
  readonly actor: string;
  readonly backend_id: string;
  /** Objects whose bytes were read whole and were right. */
  readonly objects: readonly { readonly content_address: string; readonly generation: number }[];
  /** Where the run is, to continue from after a stop: kept when all of it is recorded. */
  readonly progress: VerificationProgress;
  /** The last location that an earlier step recorded; null for the first step. */
  readonly after: LocationPlace | null;
  /** Locations of one step: others wait for it. */
  readonly limit: number;
}

export interface LocationPlace {
  readonly content_address: string;
  readonly id: string;
}

export interface VerificationProgress {
  readonly run_id: string;
  readonly cursor: string;
  readonly started_at: string;
  /** Canonical JSON: what the run counted so far. */
  readonly detail: string;
}

const locationsPerEvent = 1000;

/**
 * Records good objects, many to an event; one that had failed has an event of its own, which makes it live again. A
 * hundred thousand files may claim one object: where there are more locations than one step takes, `next` is its last.
 */
export async function recordVerified(
  transaction: Transaction,
  input: RecordVerified,
): Promise<{ readonly cleared: number; readonly next: LocationPlace | null }> {
  const done = await appendVerified(transaction, input);
  if (done.next === null) await saveProgress(transaction, input.backend_id, input.progress);
  return done;
}

/** Records that an object which had failed is good, unless another generation is live by now. */
export async function clearObject(
  transaction: Transaction,
  input: { readonly actor: string; readonly backend_id: string; readonly content_address: string; readonly generation: number },
): Promise<void> {
  const { actor, backend_id, content_address, generation } = input;
  const { current } = (await readObjects(transaction.sql, [{ backend_id, content_address }])).get(`${backend_id} ${content_address}`)!;
  if (current.state === 'failed')
    await appendVerified(transaction, { actor, backend_id, objects: [{ content_address, generation }], after: null, limit: null });
}

interface Verified extends Pick<RecordVerified, 'actor' | 'backend_id' | 'objects' | 'after'> {
  readonly limit: number | null;
}

async function appendVerified(
  transaction: Transaction,
  input: Verified,
): Promise<{ /** How many of them had failed. */ readonly cleared: number; readonly next: LocationPlace | null }> {
  const { actor, backend_id } = input;
  const states = await readObjects(
    transaction.sql,
    input.objects.map(({ content_address }) => ({ backend_id, content_address })),
  );
  const current = input.objects.filter(
    ({ content_address, generation }) => states.get(`${backend_id} ${content_address}`)!.current.live_generation === generation,
  );
  const { locations, next } = await locationsOf(
    transaction,
    input,
    current.map(({ content_address }) => content_address),
  );
  const append = (location_ids: readonly string[], content_address?: string) => {
    for (let start = 0; start < Math.max(location_ids.length, 1); start += locationsPerEvent)
      transaction.append({
        event_type: 'v1.storage.location_verified',
        subject_kind: 'backend',
        subject_id: backend_id,
        actor,
        payload: {
          backend_id,
          result: 'ok',
          location_ids: location_ids.slice(start, start + locationsPerEvent),
          ...(content_address === undefined ? {} : { content_address }),
        },
      });
  };
  const good: string[] = [];
  let cleared = 0;
  for (const { content_address } of current) {
    // An earlier step has recorded it, or a later one does.
    if (input.after !== null && content_address < input.after.content_address) continue;
    if (next !== null && content_address > next.content_address) continue;
    const ids = locations.get(content_address) ?? [];
    if (states.get(`${backend_id} ${content_address}`)!.current.state === 'failed') {
      append(ids, content_address);
      cleared += 1;
    } else good.push(...ids);
  }
  if (good.length > 0) append(good);
  return { cleared, next };
}

export async function readProgress(snapshot: Snapshot, input: { readonly backend_id: string }): Promise<VerificationProgress | undefined> {
  return await snapshot.sql
    .selectFrom('verification_progress')
    .select(['run_id', 'cursor', 'started_at', 'detail'])
    .where('backend_id', '=', input.backend_id)
    .executeTakeFirst();
}

/** The run is over: the next one starts at the beginning. */
export async function endVerification(
  transaction: Transaction,
  input: { readonly backend_id: string; readonly run_id: string },
): Promise<void> {
  await transaction.sql
    .deleteFrom('verification_progress')
    .where('backend_id', '=', input.backend_id)
    .where('run_id', '=', input.run_id)
    .execute();
}

async function saveProgress(transaction: Transaction, backend_id: string, progress: VerificationProgress): Promise<void> {
  const row = { ...progress, updated_at: transaction.now };
  await transaction.sql
    .insertInto('verification_progress')
    .values({ backend_id, ...row })
    .onConflict((conflict) => conflict.column('backend_id').doUpdateSet(row))
    .execute();
}

/** In the order of their addresses and ids. */
async function locationsOf(
  transaction: Transaction,
  { backend_id, after, limit }: Verified,
  addresses: readonly string[],
): Promise<{ readonly locations: ReadonlyMap<string, readonly string[]>; readonly next: LocationPlace | null }> {
  const found: LocationPlace[] = [];
  const sorted = addresses.filter((address) => after === null || address >= after.content_address).sort();
  for (let start = 0; start < sorted.length && (limit === null || found.length < limit); start += 500) {
    let query = transaction.sql
      .selectFrom('storage_locations')
      .select(['id', 'content_address'])
      .where('backend_id', '=', backend_id)
      .where('content_address', 'in', sorted.slice(start, start + 500))
      .where('state', '<>', 'deleted')
      .orderBy('content_address')
      .orderBy('id');
    if (after !== null)
      query = query.where(({ eb, or }) =>
        or([eb('content_address', '>', after.content_address), eb('content_address', '=', after.content_address).and('id', '>', after.id)]),
      );
    if (limit !== null) query = query.limit(limit - found.length);
    found.push(...(await query.execute()));
  }
  const locations = new Map<string, string[]>();
  for (const { id, content_address } of found) {
    const list = locations.get(content_address);
    if (list === undefined) locations.set(content_address, [id]);
    else list.push(id);
  }
  return { locations, next: limit !== null && found.length === limit ? found.at(-1)! : null };
}
