import { randomUUID } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { formatAddress } from '../kernel/content/address.ts';
import { type Algorithm, toHex } from '../kernel/content/digest.ts';
import { uploadsPrefix } from '../kernel/content/key.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { createRounds } from '../runtime/rounds.ts';
import type { Storage, StorageHealth } from '../storage/STORAGE.ts';
import { checkObject } from './check.ts';
import { blockBytes, type DataPlane, type Draft, type HeldBytes } from './DATAPLANE.ts';
import { createDraftFile, type DraftFile } from './drafts/draft-file.ts';
import { createObjectDraft, readPublished } from './drafts/object.ts';
import { removeOldFiles } from './drafts/old-drafts.ts';
import { createDraftMemory, createSpoolDraft, repeated, type SpoolDraft } from './drafts/spool.ts';
import { makeSpool, spoolFault } from './drafts/spool-directory.ts';
import { bufferStock } from './hashing/buffers.ts';
import { startHashThreads } from './hashing/hash-threads.ts';
import { besideHeld } from './held.ts';
import { openVerified } from './read.ts';
import { createArrivalDigests } from './segments/arrival-digests.ts';
import { createDiskSegments } from './segments/disk.ts';
import { createObjectSegments } from './segments/objects.ts';
import { createSegments } from './segments/segments.ts';
import { stageDraft } from './stage.ts';
import { digestWhole, requireKeyDigest } from './whole.ts';

export interface DataPlaneOptions {
  readonly backends: ReadonlyMap<string, Storage>;
  /**
   * Where drafts lie for backends that have no place of their own; needed when there is one, and made when it is first
   * used.
   */
  readonly spoolDirectory?: string;
  /** Where bytes may be that are not in their backend yet; nowhere where absent. */
  readonly held?: HeldBytes;
  /** The primary digest of new objects, `blake3` by default; SHA-256 is always made beside it. */
  readonly digestAlgorithm?: Algorithm;
  /**
   * How many blocks of 1 MiB all uploads share; an upload that finds none left continues with a small buffer of its
   * own.
   */
  readonly bufferBlocks?: number;
  /**
   * Threads that hash files of more than one block: by default one less than the cores, at most 4. With 0 they are
   * hashed inline.
   */
  readonly hashThreads?: number;
  /** How long `health` waits for a backend; 5,000 by default. */
  readonly healthMilliseconds?: number;
}

export function openDataPlane(options: DataPlaneOptions): DataPlane {
  const { backends, spoolDirectory, held, digestAlgorithm = 'blake3' } = options;
  const made = new Set<string>();
  const threadCount = options.hashThreads ?? Math.min(availableParallelism() - 1, 4);
  const threads = threadCount > 0 ? startHashThreads(threadCount) : undefined;
  const rounds = createRounds();
  let straight = 0;
  const memory = createDraftMemory(draftMemoryBytes);
  const spooled = new Map<string, SpoolDraft>();
  const buffers = bufferStock(options.bufferBlocks ?? defaultBufferBlocks, blockBytes);

  function backendOf(id: string): Storage {
    const backend = backends.get(id);
    if (backend === undefined) throw new ArtifactstoreError('storage_unavailable', `The storage backend ${id} is not configured`);
    return backend;
  }

  function draftDirectory(backend: Storage): string {
    const directory = backend.drafts?.directory ?? spoolDirectory;
    if (directory === undefined) {
      throw new ArtifactstoreError('invalid_configuration', `The storage backend ${backend.id} needs a spool directory for drafts`);
    }
    return directory;
  }

  async function draftFile(backend: Storage, id: string): Promise<DraftFile> {
    const directory = draftDirectory(backend);
    if (backend.drafts !== undefined) {
      await backend.drafts.prepare();
      return createDraftFile(join(directory, id), rounds);
    }
    await requireDirectory(directory);
    const draft = createSpoolDraft(join(directory, id), memory);
    spooled.set(id, draft);
    return {
      ...draft,
      async abandon() {
        spooled.delete(id);
        await draft.abandon();
      },
    };
  }

  async function requireDirectory(directory: string): Promise<void> {
    if (made.has(directory)) return;
    await makeSpool(directory).catch((error: unknown) => {
      throw isArtifactstoreError(error, 'invalid_configuration') ? new ArtifactstoreError('storage_unavailable', error.message) : error;
    });
    made.add(directory);
  }

  const spools = (backend: Storage): boolean => backend.drafts === undefined && spoolDirectory !== undefined;

  async function healthOf(backend: Storage): Promise<StorageHealth> {
    const health = await backend.health();
    if (!health.healthy || !spools(backend)) return health;
    const fault = await spoolFault(spoolDirectory!);
    return fault === undefined ? health : { ...health, healthy: false, detail: fault.message };
  }

  const plane: Omit<DataPlane, 'segments'> = {
    digestAlgorithm,

    async stage(backendId, source, expected = {}, signal, key): Promise<Draft> {
      const backend = backendOf(backendId);
      const id = randomUUID();
      const publishedAt = backend.drafts === undefined && straight < maximumStraight ? key : undefined;
      const { sizeBytes } = expected;
      const file =
        publishedAt === undefined
          ? await draftFile(backend, id)
          : createObjectDraft(backend, publishedAt, {
              ...(sizeBytes === undefined ? {} : { sizeBytes }),
              ...(signal === undefined ? {} : { signal }),
            });
      if (publishedAt !== undefined) straight += 1;
      const staged = await stageDraft(source, { file, expected, digestAlgorithm, buffers, threads, signal }).finally(() => {
        if (publishedAt !== undefined) straight -= 1;
      });
      return {
        id,
        backendId,
        ...(publishedAt === undefined ? {} : { publishedAt }),
        sizeBytes: staged.sizeBytes,
        digestAlgorithm,
        digestPrimary: toHex(staged.digestPrimary),
        digestSha256: toHex(staged.digestSha256),
        contentAddress: formatAddress(digestAlgorithm, staged.digestPrimary),
        blockDigests: staged.blockDigests,
      };
    },

    async publish(draft, key, signal): Promise<void> {
      const backend = backendOf(draft.backendId);
      const { sizeBytes, digestSha256 } = draft;
      const options = { sizeBytes, digestSha256, ...(signal === undefined ? {} : { signal }) };
      if (draft.bytes !== undefined) return await backend.put(key, repeated([draft.bytes]), { ...options, repeatable: true });
      if (draft.source !== undefined) return await backend.put(key, draft.source, { ...options, repeatable: true });
      if (draft.publishedAt !== undefined && draft.version !== undefined) {
        const source = { version: draft.version, sizeBytes, ...(signal === undefined ? {} : { signal }) };
        if (await backend.copy?.(draft.publishedAt, key, source)) return;
      }
      if (draft.publishedAt !== undefined) return await backend.put(key, readPublished(backend, draft, draft.publishedAt, signal), options);
      if (backend.drafts !== undefined) return await backend.drafts.publish(join(backend.drafts.directory, draft.id), key);
      const spool = spooled.get(draft.id);
      if (spool === undefined) throw new ArtifactstoreError('storage_unavailable', `The draft ${draft.id} is not there any more`);
      await backend.put(key, spool.read(draft), { ...options, repeatable: true });
    },

    hold(backendId, bytes, expected = {}): Draft {
      const whole = digestWhole(bytes, digestAlgorithm, expected);
      return { id: randomUUID(), backendId: backendOf(backendId).id, digestAlgorithm, ...whole, blockDigests: undefined, bytes };
    },

    async settle(backendId, key, bytes): Promise<void> {
      const digestSha256 = requireKeyDigest(key, bytes);
      await backendOf(backendId).put(key, repeated([bytes]), { sizeBytes: bytes.byteLength, digestSha256, repeatable: true });
    },

    stagesStraight: (backendId) => backendOf(backendId).drafts === undefined && straight < maximumStraight,

    async discard(draft): Promise<void> {
      if (draft.bytes !== undefined) return;
      const spool = spooled.get(draft.id);
      spooled.delete(draft.id);
      if (spool !== undefined) return await spool.discard();
      const directory = backends.get(draft.backendId)?.drafts?.directory;
      if (directory !== undefined) await unlink(join(directory, draft.id)).catch(() => undefined);
    },

    open: async (object, range, signal) => await openVerified(besideHeld(backendOf(object.backendId), held, object), object, range, signal),

    check: async (object, signal) => checkObject(besideHeld(backendOf(object.backendId), held, object), object, signal),

    remove: async (backendId, key) => backendOf(backendId).delete(key),

    async *list(backendId, signal) {
      for await (const object of backendOf(backendId).list('', signal === undefined ? {} : { signal }))
        if (!object.key.startsWith(uploadsPrefix)) yield object;
    },

    async reclaimDrafts(backendId, ageSeconds, options = {}): Promise<number> {
      const backend = backendOf(backendId);
      // First, since it says whose the backend is.
      const there = (await backend.reclaim?.(ageSeconds, options)) ?? 0;
      return there + (await removeOldFiles(draftDirectory(backend), ageSeconds, options.dryRun));
    },

    async prepare() {
      if ([...backends.values()].some(spools)) await makeSpool(spoolDirectory!);
    },

    ownership: (backendId) => backendOf(backendId).ownership,

    async health(): Promise<ReadonlyMap<string, StorageHealth>> {
      const states = await Promise.all(
        [...backends].map(
          async ([id, backend]) => [id, await healthInTime(() => healthOf(backend), options.healthMilliseconds ?? 5000)] as const,
        ),
      );
      return new Map(states);
    },

    async close(): Promise<void> {
      await threads?.close();
    },
  };
  const arrival = createArrivalDigests(digestAlgorithm, threads);
  const [disk, objects] = [createDiskSegments({ buffers, arrival }), createObjectSegments({ ...plane, buffers, arrival })];
  return { ...plane, segments: createSegments({ disk, objects, digestAlgorithm, threads, stage: plane.stage, backendOf }) };
}

/** A backend that hangs must not hang the answer. */
async function healthInTime(look: () => Promise<StorageHealth>, milliseconds: number): Promise<StorageHealth> {
  const { promise, resolve } = Promise.withResolvers<StorageHealth>();
  const late: StorageHealth = { healthy: false, detail: `no answer in ${milliseconds} ms`, freeBytes: null, totalBytes: null };
  const timer = setTimeout(() => resolve(late), milliseconds);
  try {
    return await Promise.race([look(), promise]);
  } finally {
    clearTimeout(timer);
  }
}

const defaultBufferBlocks = 32;

/** For drafts that wait in memory to be sent elsewhere; more of them wait on the disk. */
const draftMemoryBytes = 33_554_432;

/**
 * Uploads that go straight to a backend at the same time; each holds a part of its bytes in memory, so the others wait
 * on the disk.
 */
const maximumStraight = 6;
