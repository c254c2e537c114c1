import type { Kysely } from '#kysely';
import type { Snapshot, Transaction } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import type { Quota } from '../../kernel/access.ts';
import type { ContentAddress } from '../../kernel/content/address.ts';
import { objectKey } from '../../kernel/content/key.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { EventPayloads } from '../../kernel/log/event.ts';
import { maximumFiles } from '../../kernel/manifest.ts';
import { fileRow, locationOf, locationRow } from '../../kernel/views/fold-rows.ts';
import { beyond } from '../input.ts';
import type { Created, File, Package } from '../REGISTRY.ts';
import { type FileRow, fileRecord, fileRecords, locationRecord } from './files.ts';
import { type HeldName, type HeldObject, hold } from './held.ts';
import { bytesOfPackage, createManifestRoom } from './manifest-room.ts';
import { type DeadKey, deadKey, type ObjectRow, readObjects, rememberDead, repairObject } from './objects.ts';
import { requireFillable, requirePackage, sealedWithout } from './packages.ts';
import { requireBytes } from './quota.ts';
import { readRepeated } from './repeated-files.ts';

/** One file whose bytes are in a draft, and perhaps published; or come with it. */
export interface IngestItem {
  readonly relative_path: string;
  readonly media_type: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly size_bytes: number;
  readonly digest_algorithm: string;
  readonly digest_primary: string;
  readonly digest_sha256: string;
  readonly content_address: ContentAddress;
  readonly backend_id: string;
  /** The generation under whose key the bytes were published; null when they were not. */
  readonly generation: number | null;
  readonly block_digests: Uint8Array | null;
  /** Where its bytes are among `moved`: they are then held, and nothing is published. */
  readonly held?: number;
}

export interface AddFiles {
  readonly actor: string;
  readonly package_id: string;
  /** Of the package's producer. */
  readonly quota: Quota | null;
  readonly items: readonly IngestItem[];
  /** Bytes that are committed with their event, each in memory of its own. */
  readonly moved?: readonly Uint8Array[];
}

/** What an ingest has to publish before it can commit: at most one generation for each object. */
export interface PublishNeed {
  readonly backend_id: string;
  readonly content_address: ContentAddress;
  readonly generation: number;
}

export type AddedFiles =
  | {
      readonly outcome: 'added';
      readonly items: readonly Created<File>[];
      readonly dead: readonly DeadKey[];
      /** Made live with bytes that are held: a settler puts them into their backend. */
      readonly held: readonly HeldName[];
    }
  | { readonly outcome: 'publish'; readonly needs: readonly PublishNeed[] };

/**
 * What would have to be published now; throws what `addFiles` would throw. Nothing is decided by it: the commit looks
 * again.
 */
export async function planFiles(snapshot: Snapshot, input: AddFiles): Promise<readonly PublishNeed[]> {
  return (await plan(snapshot.sql, input)).needs;
}

/**
 * The generation that bytes with this address would be published under now; null where a good object of them is live.
 * Nothing is decided by it.
 */
export async function nextGeneration(
  snapshot: Snapshot,
  input: { readonly backend_id: string; readonly content_address: ContentAddress },
): Promise<number | null> {
  const { current } = (await readObjects(snapshot.sql, [input])).get(`${input.backend_id} ${input.content_address}`)!;
  return current.state === 'live' ? null : current.next_generation;
}

/**
 * Commits files whose bytes are published, or come with them: joins what is live, makes live what was published under
 * the next generation or is held from now on, or says what to publish instead. All or nothing.
 */
export async function addFiles(transaction: Transaction, input: AddFiles, known?: Known): Promise<AddedFiles> {
  const { fresh, existing, objects, needs } = await plan(transaction.sql, input, known);
  if (needs.length > 0) return { outcome: 'publish', needs };

  const dead: DeadKey[] = [];
  const held: HeldObject[] = [];
  const created = new Map<string, File>();
  for (const item of fresh) {
    const state = objects.get(item)!;
    const joins = state.current.state === 'live';
    const generation = joins ? state.current.live_generation! : item.held === undefined ? item.generation! : state.current.next_generation;
    const key = objectKey(item.content_address, generation);
    let madeLive = !joins;
    if (state.current.state === 'failed') {
      dead.push(...(await repairObject(transaction, input.actor, state.current, generation)));
      madeLive = false;
    }
    const id = transaction.newId();
    const payload: EventPayloads['v1.file.ingested'] = {
      id,
      package_id: input.package_id,
      relative_path: item.relative_path,
      media_type: item.media_type,
      size_bytes: item.size_bytes,
      digest_algorithm: item.digest_algorithm,
      digest_primary: item.digest_primary,
      digest_sha256: item.digest_sha256,
      content_address: item.content_address,
      annotations: item.annotations,
      location: { id: transaction.newId(), backend_id: item.backend_id, object_key: key, generation, made_live: madeLive },
    };
    const sequence = transaction.append({
      event_type: 'v1.file.ingested',
      subject_kind: 'file',
      subject_id: id,
      actor: input.actor,
      payload,
    });
    const event = { sequence, created_at: transaction.now };
    created.set(item.relative_path, fileRecord(fileRow(event, payload), [locationRecord(locationRow(event, locationOf(payload)))]));
    if (!joins) {
      state.current = {
        ...state.current,
        state: 'live',
        live_generation: generation,
        next_generation: generation + 1,
        object_key: key,
        digest_sha256: item.digest_sha256,
        size_bytes: item.size_bytes,
      };
      if (item.held !== undefined)
        held.push({
          sequence,
          backend_id: item.backend_id,
          object_key: key,
          size_bytes: item.size_bytes,
          bytes: input.moved![item.held]!,
        });
      await rememberBlocks(transaction, item);
    }
  }
  // Bytes that were published and then not needed: their generation is burnt, so that its key is dead before it is
  // deleted.
  for (const item of input.items)
    if (item.generation !== null) {
      const state = objects.get(item) ?? { current: await objectOf(transaction.sql, item) };
      const burnt = deadKey(transaction, input.actor, state.current, item.generation);
      if (burnt !== undefined) {
        dead.push(burnt);
        state.current = { ...state.current, next_generation: Math.max(state.current.next_generation, item.generation + 1) };
      }
    }
  await rememberDead(transaction, dead);
  await hold(transaction, held);
  await transaction.flush();

  return {
    outcome: 'added',
    items: input.items.map(({ relative_path }) => {
      const record = created.get(relative_path);
      return record === undefined ? { record: existing.get(relative_path)!, created: false } : { record, created: true };
    }),
    dead,
    held: held.map(({ bytes: _bytes, ...name }) => name),
  };
}

/** What whoever adds files has read in the same transaction already. */
export interface Known {
  readonly owner: Package;
  /** Of the files at the paths of the items. */
  readonly rows: readonly FileRow[];
  /** Of the items' objects, as `readObjects` gives them. */
  readonly states: ReadonlyMap<string, { current: ObjectRow }>;
}

interface Plan {
  /** The items that are not in the package yet. */
  readonly fresh: readonly IngestItem[];
  readonly existing: ReadonlyMap<string, File>;
  /** The state of each fresh item's object, shared by items of the same bytes. */
  readonly objects: ReadonlyMap<IngestItem, { current: ObjectRow }>;
  readonly needs: readonly PublishNeed[];
}

/** Of this thread. */
const manifestRoom = createManifestRoom();

async function plan(database: Kysely<Schema>, input: AddFiles, known?: Known): Promise<Plan> {
  const owner = known?.owner ?? (await requirePackage(database, input.package_id));
  requireFillable(owner);
  const rows = known?.rows ?? (await readRepeated(database, owner, input.items));
  const existing = new Map((await fileRecords(database, rows)).map((record) => [record.relative_path, record]));
  const fresh: IngestItem[] = [];
  for (const item of input.items) {
    const there = existing.get(item.relative_path);
    const same = there !== undefined && there.digest_sha256 === item.digest_sha256 && there.size_bytes === item.size_bytes;
    if (owner.status === 'finalized' && !same) throw sealedWithout(owner.id, item.relative_path, there);
    if (there === undefined) fresh.push(item);
    else if (!same)
      throw new ArtifactstoreError(
        'path_conflict',
        `Package ${input.package_id} already has other bytes at ` +
          `"${item.relative_path}"; files never change, so use another path or package.`,
        { field: 'relative_path', info: { relative_path: item.relative_path, content_address: there.content_address } },
      );
  }
  if (owner.file_count + fresh.length > maximumFiles)
    throw new ArtifactstoreError('too_many_files', `A package holds at most ${maximumFiles} files.`, {
      field: 'package_id',
      ...beyond('files_of_package'),
    });

  await manifestRoom.require(owner, fresh, () => bytesOfPackage(database, owner.id));
  if (fresh.length > 0) await requireBytes(database, { producer: owner.producer, quota: input.quota, bytes: totalBytes(fresh) });

  const states = known?.states ?? (await readObjects(database, fresh));
  const objects = new Map<IngestItem, { current: ObjectRow }>();
  const needs = new Map<string, PublishNeed>();
  for (const item of fresh) {
    const state = states.get(`${item.backend_id} ${item.content_address}`)!;
    objects.set(item, state);
    const { current } = state;
    if (current.state !== 'live' && item.held === undefined && item.generation !== current.next_generation)
      needs.set(`${item.backend_id} ${item.content_address}`, {
        backend_id: item.backend_id,
        content_address: item.content_address,
        generation: current.next_generation,
      });
  }
  return { fresh, existing, objects, needs: [...needs.values()] };
}

export function totalBytes(items: readonly { readonly size_bytes: number }[]): number {
  return items.reduce((total, { size_bytes }) => total + size_bytes, 0);
}

async function objectOf(database: Kysely<Schema>, item: IngestItem): Promise<ObjectRow> {
  return (await readObjects(database, [item])).get(`${item.backend_id} ${item.content_address}`)!.current;
}

async function rememberBlocks(transaction: Transaction, item: IngestItem): Promise<void> {
  if (item.block_digests === null) return;
  await transaction.sql
    .insertInto('block_digests')
    .values({ content_address: item.content_address, block_bytes: 1_048_576, digests: item.block_digests })
    .onConflict((conflict) => conflict.column('content_address').doNothing())
    .execute();
}
