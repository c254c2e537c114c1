import type { Kysely } from '#kysely';
import type { Transaction } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import type { Quota } from '../../kernel/access.ts';
import { type ContentAddress, splitAddress } from '../../kernel/content/address.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Created, File } from '../REGISTRY.ts';
import { addTo, type IngestItem, totalBytes } from './ingest.ts';
import { type IngestState, ownerOf, readPlaces, repeatedFiles } from './ingest-state.ts';
import type { ObjectRow } from './objects.ts';
import { sealedWithout } from './packages.ts';
import { requireBytes } from './quota.ts';
import { decideEach, distinct, filled, inSets, type SetOperation, weightOf } from './sets.ts';

export interface AttachItem {
  readonly relative_path: string;
  readonly content_address: ContentAddress;
  readonly size_bytes: number;
  readonly media_type: string;
  readonly annotations: Readonly<Record<string, string>>;
  /**
   * Files that whoever attaches may read and that have these bytes; absent where it may read everything. Bytes that
   * none of them claims now are missing.
   */
  readonly claims?: readonly string[];
}

export interface AttachFiles {
  readonly actor: string;
  readonly package_id: string;
  /** Where the package's bytes go: only objects there are joined. */
  readonly backend_id: string;
  readonly backend_ids: readonly string[];
  /** Of the package's producer. */
  readonly quota: Quota | null;
  /** Whether the answer has the records of the files: they are most of it. */
  readonly records: boolean;
  readonly items: readonly AttachItem[];
}

/** A live object of another backend, to copy the bytes from. */
export interface CopySource {
  readonly backend_id: string;
  readonly object_key: string;
  readonly generation: number;
  readonly content_address: ContentAddress;
  readonly digest_sha256: string;
  readonly size_bytes: number;
}

/** What was added; or where its bytes are, elsewhere only; or that no live object has them. */
export type AttachResult =
  | (Pick<Created<File>, 'created'> & Partial<Created<File>>)
  | { readonly sources: readonly CopySource[] }
  | { readonly missing: true };

/** Adds those files whose bytes are live in the package's backend. The others are left to the caller. */
export const attachFiles: SetOperation<AttachFiles, readonly AttachResult[]> = inSets({
  readsFirst: true,
  weigh: ({ items }) =>
    items.reduce((sum, { annotations, claims = [] }) => sum + 1 + claims.length / 8 + weightOf(JSON.stringify(annotations).length), 0),
  async run(transaction, inputs) {
    const items = inputs.flatMap((input) => input.items);
    const [places, live, claimed] = await Promise.all([
      readPlaces(transaction.sql, inputs, transaction.now),
      liveObjects(
        transaction.sql,
        distinct(inputs.flatMap(({ backend_ids }) => backend_ids)),
        items.map((item) => item.content_address),
      ),
      claimedObjects(
        transaction.sql,
        items.flatMap(({ claims = [] }) => claims),
      ),
    ]);
    // What is joined is live and stays so: no other object is looked for.
    const rows = [...live.values()].flat();
    const state: IngestState = { ...places, objects: new Map(rows.map((row) => [nameOf(row), { current: row }])) };
    return await decideEach(transaction, inputs, (own, input) => attachTo(own, state, live, claimed, input));
  },
});

async function attachTo(
  transaction: Transaction,
  state: IngestState,
  live: ReadonlyMap<string, readonly ObjectRow[]>,
  claimed: ReadonlyMap<string, ReadonlySet<string>>,
  input: AttachFiles,
): Promise<readonly AttachResult[]> {
  const { backend_id: backendId, package_id: packageId, items } = input;
  const owner = ownerOf(state, packageId);
  const paths = items.map((item) => item.relative_path);
  const taken = repeatedFiles(state, packageId, paths);
  const planned = items.map((item): IngestItem | AttachResult => {
    if (owner.status === 'finalized' && !taken.has(item.relative_path)) throw sealedWithout(packageId, item.relative_path, undefined);
    const known = (live.get(item.content_address) ?? []).filter((row) => input.backend_ids.includes(row.backend_id));
    const candidates = item.claims === undefined ? known : known.filter(ofOne(claimed, item.claims));
    const there = candidates.find((row) => row.backend_id === backendId);
    const found = there ?? candidates[0];
    if (found === undefined) return { missing: true };
    if (found.size_bytes !== item.size_bytes)
      throw new ArtifactstoreError(
        'invalid_value',
        `"${item.relative_path}": the bytes of ${item.content_address} are ${found.size_bytes} bytes long, not ${item.size_bytes}.`,
        { field: 'size_bytes' },
      );
    // A path that is taken needs no bytes: it holds these, or it is a conflict.
    return there === undefined && !taken.has(item.relative_path) ? { sources: candidates.map(sourceOf) } : joining(item, found);
  });
  const present = planned.filter((item) => 'relative_path' in item);
  // With what will be copied: it is refused before that.
  const fresh = items.filter((item, index) => !taken.has(item.relative_path) && !('missing' in planned[index]!));
  const { producer } = owner;
  if (fresh.length > 0) requireBytes(state.used, { producer, quota: input.quota, bytes: totalBytes(fresh), package_id: packageId });
  const adding = { actor: input.actor, package_id: packageId, quota: null, items: present };
  const { added } = await addTo(transaction, state, adding, { records: input.records });
  if (added.outcome === 'publish') throw new Error('an object that was live stopped being so inside one transaction');
  const results = added.items[Symbol.iterator]();
  return planned.map((item): AttachResult => {
    if (!('relative_path' in item)) return item;
    const { created, record } = results.next().value!;
    return input.records ? { record: record!(), created } : { created };
  });
}

/** The objects that each of these files claims, by the file. */
async function claimedObjects(database: Kysely<Schema>, fileIds: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const claimed = new Map<string, Set<string>>();
  for (let start = 0; start < fileIds.length; start += 500)
    for (const row of await database
      .selectFrom('storage_locations')
      .select(['file_id', 'backend_id', 'content_address'])
      .where('file_id', 'in', filled(fileIds.slice(start, start + 500)))
      .where('state', '<>', 'deleted')
      .execute()) {
      const objects = claimed.get(row.file_id) ?? new Set();
      claimed.set(row.file_id, objects.add(nameOf(row)));
    }
  return claimed;
}

function ofOne(claimed: ReadonlyMap<string, ReadonlySet<string>>, claims: readonly string[]): (object: ObjectRow) => boolean {
  return (object) => claims.some((id) => claimed.get(id)?.has(nameOf(object)) === true);
}

function nameOf({ backend_id, content_address }: Pick<ObjectRow, 'backend_id' | 'content_address'>): string {
  return `${backend_id} ${content_address}`;
}

function joining(item: AttachItem, object: ObjectRow): IngestItem {
  const content_address = object.content_address as ContentAddress;
  const { algorithm, hex } = splitAddress(content_address);
  return {
    relative_path: item.relative_path,
    media_type: item.media_type,
    annotations: item.annotations,
    size_bytes: item.size_bytes,
    digest_algorithm: algorithm,
    digest_primary: hex,
    digest_sha256: object.digest_sha256!,
    content_address,
    backend_id: object.backend_id,
    generation: null,
    block_digests: null,
  };
}

function sourceOf(object: ObjectRow): CopySource {
  return {
    backend_id: object.backend_id,
    object_key: object.object_key!,
    generation: object.live_generation!,
    content_address: object.content_address as ContentAddress,
    digest_sha256: object.digest_sha256!,
    size_bytes: object.size_bytes!,
  };
}

/**
 * The live objects that each address stands for, as primary or as SHA-256. Primary addresses are looked up by their
 * key, which begins with the backend.
 */
async function liveObjects(
  database: Kysely<Schema>,
  backendIds: readonly string[],
  addresses: readonly ContentAddress[],
): Promise<ReadonlyMap<string, ObjectRow[]>> {
  const found = new Map<string, ObjectRow[]>();
  const remember = (name: string, row: ObjectRow) => {
    const rows = found.get(name);
    if (rows === undefined) found.set(name, [row]);
    else if (!rows.includes(row)) rows.push(row);
  };
  for (let start = 0; start < addresses.length; start += 500) {
    const stretch = addresses.slice(start, start + 500);
    const objects = database.selectFrom('storage_objects').selectAll().where('state', '=', 'live');
    for (const row of await objects.where('backend_id', 'in', backendIds).where('content_address', 'in', filled(stretch)).execute())
      remember(row.content_address, row);
    const sha256 = stretch.filter((address) => address.startsWith('sha256:')).map((address) => splitAddress(address).hex);
    if (sha256.length > 0)
      for (const row of await objects.where('digest_sha256', 'in', filled(sha256)).execute())
        if (backendIds.includes(row.backend_id)) remember(`sha256:${row.digest_sha256}`, row);
  }
  return found;
}
