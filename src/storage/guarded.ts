import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { sharedLater } from '../runtime/shared-later.ts';
import { judgeStore, type LogView, type Verdict } from './judge-store.ts';
import type { StoreName } from './kind.ts';
import { type Marker, markerKey, writeMarker } from './marker.ts';
import type { DraftDirectory, ObjectReader, Ownership, Stoppable, Storage, StorageHealth } from './STORAGE.ts';

export interface GuardOptions extends StoreName {
  /** What the registry's log knows of this backend. `counted` asks for the number of live objects too. */
  look(counted: boolean): Promise<LogView>;
  /** Writes down that there is a marker. */
  record(): Promise<void>;
  /** RFC 3339, for the marker. */
  now(): string;
  /** Told when the store that was the registry's is not any more. */
  onDoubt?(error: ArtifactstoreError): void;
  /**
   * For how long a bucket's marker is believed without looking again; 30,000 by default. A directory is looked at each
   * time.
   */
  believeMilliseconds?: number;
  /** How often a store in doubt is looked at again; 1,000 by default. */
  retryMilliseconds?: number;
}

/**
 * A backend that belongs to one registry: what carries another marker, or none where the log knows of objects, is not
 * touched. It is judged before it is first used, and again whenever it may have changed, so a disk that is mounted
 * again serves again, and one that was unmounted under a running server gets nothing. That an object is missing is said
 * only after the marker was seen again.
 */
export function guardStorage(inner: Storage, options: GuardOptions): Storage & { readonly ownership: Ownership } {
  const { believeMilliseconds = 30_000, retryMilliseconds = 1000 } = options;
  const { place } = inner;
  let last: { readonly verdict: Verdict; readonly at: number } | undefined;
  let recorded = false;

  const identify = place === undefined ? undefined : sharedLater(() => place.identify(markerKey));

  /** Looks at the store and the log. Not knowing throws, and leaves what was known. */
  const judge = sharedLater(async (): Promise<Verdict> => {
    const at = performance.now();
    const verdict = await judgeStore(inner, options, options.look);
    if (verdict.kind === 'doubt' && last?.verdict.kind === 'ours') options.onDoubt?.(verdict.error);
    last = { verdict, at };
    return verdict;
  });

  /** The store as it is now. Throws when it is not the registry's, or nobody can tell. */
  async function current(): Promise<Settled> {
    if (last !== undefined && last.verdict.kind !== 'new') {
      const { verdict, at } = last;
      const unchanged = identify === undefined || (await identify()) === verdict.identity;
      if (verdict.kind === 'ours' && unchanged && (identify !== undefined || performance.now() - at < believeMilliseconds)) return verdict;
      if (verdict.kind === 'doubt' && unchanged && performance.now() - at < retryMilliseconds) throw verdict.error;
    }
    return settled(await judge());
  }

  /** As of a moment after the call. */
  async function fresh(): Promise<Settled> {
    return identify === undefined ? settled(await judge()) : await current();
  }

  /** Makes a new store the registry's. Somebody else may do it at the same time: one marker is there in the end. */
  const make = sharedLater(async (): Promise<void> => {
    await writeMarker(inner, await ownMarker());
    if (settled(await judge()).kind === 'new')
      throw new ArtifactstoreError(
        'storage_unavailable',
        `The storage backend "${inner.id}" does not show the marker that was just written.`,
      );
    await note();
  });

  async function ownMarker(): Promise<Marker> {
    const { registryId } = await options.look(false);
    return { format: 1, registry_id: registryId, backend_id: inner.id, created_at: options.now() };
  }

  async function note(): Promise<void> {
    if (!recorded && !(await options.look(false)).recorded) await options.record();
    recorded = true;
  }

  /** The store is the registry's and may be written to. */
  async function claim(): Promise<void> {
    const verdict = await current();
    if (verdict.kind === 'new') await make();
    else if (!recorded) await note();
  }

  /** Something, or the certainty that it is not there. */
  async function find<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
    let before = last?.verdict.kind === 'ours' ? last.verdict : await current();
    for (let attempt = 0; attempt < maximumChanges; attempt++) {
      if (before.kind === 'new') return undefined;
      const found = await look();
      if (found !== undefined) return found;
      const after = await fresh();
      if (after.kind === 'ours' && after.identity === before.identity) return undefined;
      before = after;
    }
    throw new ArtifactstoreError('storage_unavailable', `The storage backend "${inner.id}" changed while it was looked at; try again.`, {
      info: { object: 'unknown' },
    });
  }

  async function health(): Promise<StorageHealth> {
    // A bucket can be asked whatever lies there, and then says best what is wrong with it.
    const asked = place === undefined ? await inner.health() : undefined;
    if (asked?.healthy === false) return asked;
    try {
      const { kind } = await current();
      if (kind === 'new') return { ...unknownRoom, healthy: true, detail: 'new and empty; the first write makes it ours' };
      await inner.drafts?.prepare();
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      const log = isArtifactstoreError(error) && error.code.startsWith('database_');
      return { ...unknownRoom, healthy: false, detail: log ? `nobody can tell whose it is: ${detail}` : detail };
    }
    return asked ?? (await inner.health());
  }

  const drafts: DraftDirectory | undefined = inner.drafts && {
    directory: inner.drafts.directory,
    async prepare() {
      await claim();
      await inner.drafts!.prepare();
    },
    async publish(draftPath, key) {
      requireUnreserved(key);
      await claim();
      await inner.drafts!.publish(draftPath, key);
    },
  };

  return {
    id: inner.id,
    async put(key, source, putOptions) {
      requireUnreserved(key);
      await claim();
      await inner.put(key, source, putOptions);
    },
    get: (key, getOptions) => find<ObjectReader>(() => inner.get(key, getOptions)),
    head: (key, headOptions) => find(() => inner.head(key, headOptions)),
    async delete(key, deleteOptions) {
      requireUnreserved(key);
      if ((await current()).kind === 'ours') await inner.delete(key, deleteOptions);
    },
    async *list(prefix, listOptions) {
      if ((await current()).kind === 'new') return;
      for await (const object of inner.list(prefix, listOptions)) if (object.key !== markerKey) yield object;
      // What was unmounted meanwhile lists as less than there is.
      await fresh();
    },
    async create(key, bytes, createOptions) {
      requireUnreserved(key);
      await claim();
      return await inner.create(key, bytes, createOptions);
    },
    health,
    async reclaim(ageSeconds, reclaimOptions) {
      if ((await current()).kind === 'new') return 0;
      return (await inner.reclaim?.(ageSeconds, reclaimOptions)) ?? 0;
    },
    ...(inner.presign === undefined
      ? {}
      : {
          async presign(key, write) {
            requireUnreserved(key);
            await claim();
            return await inner.presign!(key, write);
          },
        }),
    ...(inner.copy === undefined
      ? {}
      : {
          async copy(from, to, source) {
            requireUnreserved(to);
            await claim();
            return await inner.copy!(from, to, source);
          },
        }),
    ...(place === undefined ? {} : { place }),
    ...(drafts === undefined ? {} : { drafts }),
    close: () => inner.close?.(),
    ownership: {
      markerKey,
      async confirm() {
        await fresh();
      },
      claim,
      list: (listOptions: Stoppable = {}) => inner.list('', listOptions),
      adopt: () => make(),
    },
  };
}

type Settled = Exclude<Verdict, { readonly kind: 'doubt' }>;

function settled(verdict: Verdict): Settled {
  if (verdict.kind === 'doubt') throw verdict.error;
  return verdict;
}

function requireUnreserved(key: string): void {
  if (key === markerKey) throw new ArtifactstoreError('internal', `${markerKey} is the store's marker, and no object`);
}

const unknownRoom = { freeBytes: null, totalBytes: null };
const maximumChanges = 3;
