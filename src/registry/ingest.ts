import { formatAddress } from '../kernel/content/address.ts';
import { toHex } from '../kernel/content/digest.ts';
import { objectKey } from '../kernel/content/key.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { createLimit } from '../runtime/limit.ts';
import { type CheckedFile, checkFile } from './checked-file.ts';
import { createCommit, type FillablePackage, parallelSteps, type Staged } from './commit-files.ts';
import type { Context } from './context.ts';
import { heldRequestBytes } from './objects/hold-room.ts';
import { burnPublished } from './objects/remove-dead.ts';
import type { PublishNeed } from './operations/ingest.ts';
import { requireFillable, sealedWithout } from './operations/packages.ts';
import type { EndingUpload } from './operations/uploads/ending-uploads.ts';
import type { UploadRow } from './operations/uploads/rows.ts';
import type { Created, File, NewFile } from './REGISTRY.ts';
import { createRoom } from './room.ts';
import { iterate, joined, readSmall, type Small } from './small-body.ts';

/**
 * Bytes on their way in: staged as drafts, published under the object's next generation, committed; those of small
 * files committed with the log at once, and put under their key later (`objects/settler.ts`). The rule behind it: a key
 * that was released or burnt is never used again, so a delete that comes late, twice or from a paused process can hit
 * only a dead key.
 */
export interface Ingest {
  add(packageId: string, file: NewFile): Promise<Created<File>>;
  addMany(packageId: string, files: AsyncIterable<NewFile>): Promise<readonly Created<File>[]>;
  /** Throws what can be told of a file before its bytes: that the package does not take it. */
  announce(packageId: string, file: CheckedFile): Promise<FillablePackage>;
  /** Throws when the package takes no files. */
  openPackage(packageId: string): Promise<FillablePackage>;
  /** Adds a short file whose bytes are in memory, which stay the caller's, and ends with it the upload they are of. */
  addWhole(target: FillablePackage, file: CheckedFile, bytes: Uint8Array, upload: EndingUpload): Promise<UploadRow>;
  /**
   * Adds files whose bytes lie in drafts, which stay the caller's to discard; and ends with the only one the upload
   * that it is of.
   */
  commit(target: FillablePackage, staged: readonly Staged[], upload?: EndingUpload): Promise<readonly Created<File>[]>;
}

/** Single files that are declared to be so short are taken whole into memory before it is their turn. */
export const shortBytes = 65_536;

export function createIngest(context: Context, actor: string): Ingest {
  const { database, dataplane, holdRoom } = context;
  const commit = createCommit(context, actor);

  async function openPackage(packageId: string): Promise<FillablePackage> {
    const found = await database.read('package.taking', { id: packageId });
    if (found === undefined)
      throw new ArtifactstoreError('package_not_found', `There is no package ${packageId}.`, { field: 'package_id' });
    requireFillable(found);
    const { id, producer, retention_class, status } = found;
    return { id, producer, backendId: context.routeBackend(producer, retention_class), sealed: status === 'finalized' };
  }

  /** What a sealed package can't hold already is refused before its bytes are read. */
  async function requireHeld(packageId: string, { entry, expected }: CheckedFile): Promise<void> {
    const there = await database.read('file.find', { package_id: packageId, relative_path: entry.relative_path });
    const sha256 = expected.digests?.get('sha256');
    const other =
      there !== undefined &&
      ((expected.sizeBytes !== undefined && expected.sizeBytes !== there.size_bytes) ||
        (sha256 !== undefined && toHex(sha256) !== there.digest_sha256));
    if (there === undefined || other) throw sealedWithout(packageId, entry.relative_path, there);
  }

  async function announce(packageId: string, file: CheckedFile): Promise<FillablePackage> {
    const target = await openPackage(packageId);
    if (target.sealed) await requireHeld(packageId, file);
    return target;
  }

  function stage(backendId: string, file: CheckedFile, body: AsyncIterable<Uint8Array>, straight?: PublishNeed): Promise<Staged> {
    const key = straight === undefined ? undefined : objectKey(straight.content_address, straight.generation);
    return dataplane.stage(backendId, body, file.expected, file.signal, key).then((draft) => ({ draft, ...file.entry }));
  }

  /** Short files take turns; a longer one is staged while it arrives. */
  async function stageOne(backendId: string, file: CheckedFile, read: Small, straight?: PublishNeed): Promise<Staged> {
    if ((file.expected.sizeBytes ?? shortBytes + 1) > shortBytes) return await stage(backendId, file, read.body, straight);
    const small = await readSmall(read.body);
    return await context.takeFile(backendId, () => stage(backendId, file, small.body, straight));
  }

  /** What is read whole where it may be held, and only begun otherwise. */
  async function readToHold({ expected: { sizeBytes = 0 } }: CheckedFile, body: AsyncIterable<Uint8Array>): Promise<Small> {
    return sizeBytes <= holdRoom.longestBytes ? await readSmall(body) : { body };
  }

  /** The file with its bytes in memory, checked, where they may be committed with the log now. */
  async function holdWhole(
    backendId: string,
    { entry, expected }: CheckedFile,
    { chunks }: Pick<Small, 'chunks'>,
  ): Promise<Staged | undefined> {
    if (chunks === undefined) return undefined;
    const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (!(await holdRoom.take(backendId, size))) return undefined;
    try {
      return { draft: dataplane.hold(backendId, joined(chunks, size), expected), ...entry };
    } catch (error) {
      holdRoom.give(size);
      throw error;
    }
  }

  function discard({ draft }: Staged): void {
    if (draft.bytes === undefined) context.background('draft_left', dataplane.discard(draft));
    else holdRoom.give(draft.sizeBytes);
  }

  /**
   * The generation under which bytes of a declared address would be published now: undefined where they cannot go
   * straight there, or need not go anywhere.
   */
  async function straightNeed(backendId: string, { expected }: CheckedFile): Promise<PublishNeed | undefined> {
    const declared = expected.digests?.get(dataplane.digestAlgorithm);
    if (declared === undefined || !dataplane.stagesStraight(backendId)) return undefined;
    const object = { backend_id: backendId, content_address: formatAddress(dataplane.digestAlgorithm, declared) };
    const generation = await database.read('object.next_generation', object);
    return generation === null ? undefined : { ...object, generation };
  }

  return {
    announce,
    openPackage,
    commit: async (target, staged, upload) => (await commit(target, staged, upload === undefined ? {} : { upload })).items,

    async add(packageId, file) {
      const checked = checkFile(file);
      const target = await announce(packageId, checked);
      const { backendId } = target;
      const read = await readToHold(checked, await createRoom(context, target).admit(checked, file.body));
      const small = await holdWhole(backendId, checked, read);
      if (small !== undefined) {
        try {
          return (await commit(target, [small])).items[0]!;
        } finally {
          discard(small);
        }
      }
      const straight = await straightNeed(backendId, checked);
      const staged = await stageOne(backendId, checked, read, straight).catch((error: unknown) => {
        // Whether a store that gave no answer made the object is not known; a key that is burnt is dead whatever lies
        // there.
        if (straight !== undefined && isArtifactstoreError(error, 'storage_unavailable'))
          context.background('copies_left', burnPublished(context, actor, [{ ...straight, generations: [straight.generation] }]));
        throw error;
      });
      try {
        const published = staged.draft.publishedAt === undefined ? undefined : straight;
        return (await commit(target, [staged], { straight: published })).items[0]!;
      } finally {
        discard(staged);
      }
    },

    async addWhole(target, file, bytes, upload) {
      const { backendId } = target;
      const held = bytes.length <= holdRoom.longestBytes ? await holdWhole(backendId, file, { chunks: [bytes.slice()] }) : undefined;
      const staged = held ?? (await context.takeFile(backendId, () => stage(backendId, file, iterate([bytes]))));
      try {
        return (await commit(target, [staged], { upload })).upload!;
      } finally {
        discard(staged);
      }
    },

    async addMany(packageId, files) {
      const target = await openPackage(packageId);
      const { backendId } = target;
      const room = createRoom(context, target);
      const paths = new Set<string>();
      const places = createLimit(parallelSteps);
      const tasks: Promise<Staged>[] = [];
      let failed = false;
      let inMemory = 0;
      try {
        for await (const file of files) {
          const checked = checkFile(file);
          const path = checked.entry.relative_path;
          if (paths.has(path)) throw new ArtifactstoreError('malformed_request', `"${path}" is named twice.`, { field: 'relative_path' });
          paths.add(path);
          if (target.sealed) await requireHeld(packageId, checked);
          const giveBack = await places.take();
          if (failed) break;
          const small = await readSmall(await room.admit(checked, file.body));
          const held = inMemory > heldRequestBytes ? undefined : await holdWhole(backendId, checked, small);
          if (held !== undefined) {
            giveBack();
            inMemory += held.draft.sizeBytes;
            tasks.push(Promise.resolve(held));
            continue;
          }
          const task =
            small.chunks !== undefined
              ? context.takeFile(backendId, () => stage(backendId, checked, small.body))
              : stage(backendId, checked, small.body);
          tasks.push(task);
          task
            .catch(() => {
              failed = true;
            })
            .finally(giveBack);
          if (small.chunks === undefined) await task;
        }
        const staged = await Promise.all(tasks);
        if (staged.length === 0) throw new ArtifactstoreError('malformed_request', 'There is no file to add.');
        return (await commit(target, staged)).items;
      } finally {
        for (const task of await Promise.allSettled(tasks)) if (task.status === 'fulfilled') discard(task.value);
      }
    },
  };
}
