import type { Snapshot, Transaction } from '../../database/DATABASE.ts';
import type { Quota } from '../../kernel/access.ts';
import type { ContentAddress } from '../../kernel/content/address.ts';
import { objectKey } from '../../kernel/content/key.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { maximumFiles } from '../../kernel/manifest.ts';
import { fileRow, locationOf, locationRow } from '../../kernel/views/fold-rows.ts';
import { beyond } from '../input.ts';
import type { Created, File } from '../REGISTRY.ts';
import { fileRecord, locationRecord } from './files.ts';
import type { HeldName } from './held.ts';
import { fileKey, type IngestState, type KnownFile, ownerOf, readIngest, recordsOf, repeatedFiles } from './ingest-state.ts';
import { bytesOfPackage, createManifestRoom } from './manifest-room.ts';
import { type DeadKey, deadKey, readObjects, rememberDead, repairObject } from './objects.ts';
import { requireFillable, sealedWithout } from './packages.ts';
import { noteBytes, requireBytes } from './quota.ts';
import type { EndingUpload } from './uploads/ending-uploads.ts';
import type { UploadRow } from './uploads/rows.ts';

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
  /** The upload whose bytes the one item has. */
  readonly upload?: EndingUpload;
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
      /** As it is when it has become the file; absent where its row is gone. */
      readonly upload?: UploadRow;
    }
  | { readonly outcome: 'publish'; readonly needs: readonly PublishNeed[] };

/**
 * What would have to be published now; throws what `addFiles` would throw. Nothing is decided by it: the commit looks
 * again.
 */
export async function planFiles(snapshot: Snapshot, input: AddFiles): Promise<readonly PublishNeed[]> {
  const state = await readIngest(snapshot.sql, [input], null);
  return (await plan(snapshot, state, input, async () => {})).needs;
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

/** As `AddedFiles`, with records that are made when they are read; those of files that were there only where asked. */
type Added =
  | (Omit<Extract<AddedFiles, { readonly outcome: 'added' }>, 'items'> & {
      readonly items: readonly { readonly created: boolean; readonly record: (() => File) | undefined }[];
    })
  | Exclude<AddedFiles, { readonly outcome: 'added' }>;

/** On what was read; notes in it what it changes, except the locations of an object that it repairs. */
export async function addTo(
  transaction: Transaction,
  state: IngestState,
  input: AddFiles,
  { records }: { readonly records: boolean },
): Promise<{ readonly added: Added; readonly repaired: boolean }> {
  const { fresh, there, needs } = await plan(transaction, state, input, transaction.flush);
  if (needs.length > 0) return { added: { outcome: 'publish', needs }, repaired: false };
  const existing = records ? await recordsOf(transaction.sql, state, there) : undefined;

  const dead: DeadKey[] = [];
  const held: HeldName[] = [];
  const created = new Map<string, () => File>();
  let repaired = false;
  for (const item of fresh) {
    const object = state.objects.get(objectName(item))!;
    const joins = object.current.state === 'live';
    const generation = joins
      ? object.current.live_generation!
      : item.held === undefined
        ? item.generation!
        : object.current.next_generation;
    const key = objectKey(item.content_address, generation);
    const repairs = object.current.state === 'failed';
    if (repairs) dead.push(...(await repairObject(transaction, input.actor, object.current, generation)));
    repaired ||= repairs;
    const { record, sequence } = appendFile(transaction, input, item, { object_key: key, generation, made_live: !joins && !repairs });
    created.set(item.relative_path, record);
    if (joins) continue;
    object.current = {
      ...object.current,
      state: 'live',
      live_generation: generation,
      next_generation: generation + 1,
      object_key: key,
      digest_sha256: item.digest_sha256,
      size_bytes: item.size_bytes,
    };
    if (item.held !== undefined) {
      const name = { sequence, backend_id: item.backend_id, object_key: key, size_bytes: item.size_bytes };
      held.push(name);
      transaction.insert('held_objects', { ...name, bytes: input.moved![item.held]! });
    }
    if (item.block_digests !== null)
      transaction.insert('block_digests', { content_address: item.content_address, block_bytes: 1_048_576, digests: item.block_digests });
  }
  dead.push(...burnUnneeded(transaction, state, input));
  await rememberDead(transaction, dead);
  noteFiles(state, input, fresh, created);
  return {
    added: {
      outcome: 'added',
      items: input.items.map((item) => {
        const record = created.get(item.relative_path);
        return record === undefined ? { created: false, record: existing?.get(item.relative_path) } : { created: true, record };
      }),
      dead,
      held,
    },
    repaired,
  };
}

function appendFile(
  transaction: Transaction,
  { actor, package_id }: AddFiles,
  item: IngestItem,
  where: { readonly object_key: string; readonly generation: number; readonly made_live: boolean },
): { readonly record: () => File; readonly sequence: number } {
  const { relative_path, media_type, size_bytes, digest_algorithm, digest_primary, digest_sha256, content_address } = item;
  const facts = { relative_path, media_type, size_bytes, digest_algorithm, digest_primary, digest_sha256, content_address };
  const id = transaction.newId();
  const location = { id: transaction.newId(), backend_id: item.backend_id, ...where };
  const payload = { id, package_id, ...facts, annotations: item.annotations, location };
  const sequence = transaction.append({ event_type: 'v1.file.ingested', subject_kind: 'file', subject_id: id, actor, payload });
  const event = { sequence, created_at: transaction.now };
  // Many are never asked for, and to make it takes as long as half of what it says.
  const record = () => fileRecord(fileRow(event, payload), [locationRecord(locationRow(event, locationOf(payload)))]);
  return { record, sequence };
}

/**
 * Bytes that were published and then not needed: their generation is burnt, so that its key is dead before it is
 * deleted.
 */
function burnUnneeded(transaction: Transaction, state: IngestState, input: AddFiles): readonly DeadKey[] {
  return input.items.flatMap((item) => {
    if (item.generation === null) return [];
    const object = state.objects.get(objectName(item))!;
    const burnt = deadKey(transaction, input.actor, object.current, item.generation);
    if (burnt === undefined) return [];
    object.current = { ...object.current, next_generation: Math.max(object.current.next_generation, item.generation + 1) };
    return [burnt];
  });
}

/** For the inputs after this one. */
function noteFiles(state: IngestState, input: AddFiles, fresh: readonly IngestItem[], created: ReadonlyMap<string, () => File>): void {
  const owner = ownerOf(state, input.package_id);
  state.owners.set(owner.id, { ...owner, file_count: owner.file_count + fresh.length });
  noteBytes(state.used, owner.producer, owner.id, totalBytes(fresh));
  for (const { relative_path, size_bytes, digest_sha256, content_address, annotations } of fresh)
    state.files.set(fileKey(owner.id, relative_path), {
      package_id: owner.id,
      relative_path,
      size_bytes,
      digest_sha256,
      content_address,
      text_bytes: Buffer.byteLength(textOf(annotations)) + Buffer.byteLength(relative_path),
      record: created.get(relative_path),
    });
}

interface Plan {
  /** The items that are not in the package yet. */
  readonly fresh: readonly IngestItem[];
  /** Those that are, by path. */
  readonly there: ReadonlyMap<string, KnownFile>;
  readonly needs: readonly PublishNeed[];
}

/** Of this thread. */
const manifestRoom = createManifestRoom();

/** `flush` makes what was read all that there is. */
async function plan(snapshot: Snapshot, state: IngestState, input: AddFiles, flush: () => Promise<void>): Promise<Plan> {
  const owner = ownerOf(state, input.package_id);
  requireFillable(owner);
  const there = repeatedFiles(
    state,
    owner.id,
    input.items.map((item) => item.relative_path),
  );
  const fresh: IngestItem[] = [];
  for (const item of input.items) {
    const found = there.get(item.relative_path);
    const same = found !== undefined && found.digest_sha256 === item.digest_sha256 && found.size_bytes === item.size_bytes;
    if (owner.status === 'finalized' && !same) throw sealedWithout(owner.id, item.relative_path, found);
    if (found === undefined) fresh.push(item);
    else if (!same)
      throw new ArtifactstoreError(
        'path_conflict',
        `Package ${input.package_id} already has other bytes at ` +
          `"${item.relative_path}"; files never change, so use another path or package.`,
        { field: 'relative_path', info: { relative_path: item.relative_path, content_address: found.content_address } },
      );
  }
  if (owner.file_count + fresh.length > maximumFiles)
    throw new ArtifactstoreError('too_many_files', `A package holds at most ${maximumFiles} files.`, {
      field: 'package_id',
      ...beyond('files_of_package'),
    });

  await manifestRoom.require(owner, fresh, async () => {
    await flush();
    return await bytesOfPackage(snapshot.sql, owner.id);
  });
  if (fresh.length > 0)
    requireBytes(state.used, { producer: owner.producer, quota: input.quota, bytes: totalBytes(fresh), package_id: owner.id });

  const needs = new Map<string, PublishNeed>();
  for (const item of fresh) {
    const { state: is, next_generation } = state.objects.get(objectName(item))!.current;
    if (is !== 'live' && item.held === undefined && item.generation !== next_generation)
      needs.set(objectName(item), { backend_id: item.backend_id, content_address: item.content_address, generation: next_generation });
  }
  return { fresh, there, needs: [...needs.values()] };
}

function objectName({ backend_id, content_address }: IngestItem): string {
  return `${backend_id} ${content_address}`;
}

export function textOf(annotations: IngestItem['annotations']): string {
  return JSON.stringify(annotations);
}

export function totalBytes(items: readonly { readonly size_bytes: number }[]): number {
  return items.reduce((total, { size_bytes }) => total + size_bytes, 0);
}
