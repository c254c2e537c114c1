import { type BackupPlace, type BackupRecord, backupBackend } from '../../backup/BACKUP.ts';
import type { DataPlane, StoredObject } from '../../dataplane/DATAPLANE.ts';
import { objectKey, parseObjectKey } from '../../kernel/content/key.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { StoredEvent } from '../../kernel/log/event.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import { stageFrom } from '../objects/copy.ts';
import { requireIdempotencyKeys } from './check-backup.ts';
import { readChain, readLive } from './copied-log.ts';
import type { CopyCounts, MissingObject, Restored, RestoreOptions } from './OPERATOR.ts';

/** The empty places that a registry is brought back into. */
export interface RestoreParts {
  readonly place: BackupPlace;
  readonly dataplane: DataPlane;
  readonly backendIds: readonly string[];
  readonly database: {
    requireEmpty(): Promise<void>;
    fill(source: FilledWith): Promise<void>;
  };
  /** Writes the registry's marker into each of the backends. */
  claimBackends(): Promise<void>;
}

export interface FilledWith {
  readonly registry: BackupRecord['registry'];
  readonly head: Pick<BackupRecord, 'sequence' | 'chain_digest'>;
  events(): AsyncIterable<readonly StoredEvent[]>;
  idempotencyKeys: BackupPlace['idempotencyKeys'];
  readonly blockDigests: readonly { readonly content_address: string; readonly block_bytes: number; readonly digests: Uint8Array }[];
}

const defaultJobs = 16;
const blockBytes = 1_048_576;

/**
 * Brings a registry back: the bytes first, then the database, all of it in one transaction. So a target is empty, has
 * objects that no log knows yet, or is whole; no server can take a half of it for a registry. Backends keep their ids
 * and objects their keys: the log says them.
 */
export async function restore(parts: RestoreParts, options: RestoreOptions): Promise<Restored> {
  const { place, dataplane, database } = parts;
  const { signal } = options;
  const record = await place.record();
  if (record === undefined || record.state === 'in progress')
    throw new ArtifactstoreError(
      'integrity_failure',
      `The backup in ${place.directory} was never finished: nothing can be restored from it.`,
      {
        info: { hint: 'run `artifactstore backup` on the registry again; it resumes where it stopped' },
      },
    );
  await database.requireEmpty();
  await requireIdempotencyKeys(place);
  const live = await readLive(place, record, signal);
  requireBackends(parts, live);
  const found = await findObjects(parts, options.resume === true);
  await parts.claimBackends();

  const total: CopyCounts = {
    events: record.sequence,
    objects: live.length,
    bytes: live.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
  const counts = { events: 0, objects: 0, bytes: 0 };
  const blockDigests: FilledWith['blockDigests'][number][] = [];
  const missing = new Map<string, MissingObject>();
  const known = new Map<string, MissingObject>(record.missing.map((object) => [object.content_address, object]));
  let kept = 0;
  await forEachLimited(live, options.jobs ?? defaultJobs, async (object) => {
    signal?.throwIfAborted();
    const { backendId, contentAddress, objectKey: key, sizeBytes } = object;
    if (found.get(`${backendId} ${key}`) === sizeBytes) {
      kept += 1;
      return;
    }
    const reason = await bringBack(object);
    if (reason === undefined) {
      counts.objects += 1;
      counts.bytes += sizeBytes;
    } else missing.set(contentAddress, { content_address: contentAddress, size_bytes: sizeBytes, reason });
    options.onProgress?.({ ...counts }, total);
  });

  /** Undefined when it is in the storage; else what is wrong with its copy. */
  async function bringBack(object: StoredObject): Promise<string | undefined> {
    const { backendId, contentAddress, objectKey: key } = object;
    const copy = { ...object, backendId: backupBackend, objectKey: objectKey(contentAddress, 0) };
    const staged = await stageFrom({ dataplane: place.objects }, copy, backendId, signal, dataplane);
    if ('result' in staged) return known.get(contentAddress)?.reason ?? `in the backup: ${staged.reason}`;
    try {
      await dataplane.publish(staged, key, signal);
    } finally {
      await dataplane.discard(staged);
    }
    if (staged.blockDigests !== undefined)
      blockDigests.push({ content_address: contentAddress, block_bytes: blockBytes, digests: staged.blockDigests });
    return undefined;
  }

  await database.fill({
    registry: record.registry,
    head: record,
    async *events() {
      for await (const events of readChain(place, record, signal)) {
        counts.events += events.length;
        options.onProgress?.({ ...counts }, total);
        yield events;
      }
    },
    idempotencyKeys: place.idempotencyKeys,
    blockDigests,
  });
  const { sequence, chain_digest, registry } = record;
  const { objects, bytes } = counts;
  const lost = [...missing.values()];
  return { ok: lost.length === 0, registry_id: registry.id, sequence, chain_digest, objects, bytes, kept_objects: kept, missing: lost };
}

function requireBackends({ backendIds, place }: RestoreParts, live: readonly StoredObject[]): void {
  const needed = new Set(live.map(({ backendId }) => backendId));
  const absent = [...needed].filter((id) => !backendIds.includes(id));
  if (absent.length > 0)
    throw new ArtifactstoreError(
      'invalid_configuration',
      `The backup in ${place.directory} has objects of ${absent.map((id) => `"${id}"`).join(' and ')}, which is not configured here.`,
      {
        info: {
          backend_ids: absent,
          hint: 'add it to ARTIFACTSTORE_STORAGE_BACKENDS; after the restore `storage move` moves files elsewhere',
        },
      },
    );
}

/**
 * What lies in the backends, as `<backend> <key>` with its length; `target_in_use` when there is anything, unless it is
 * to be kept.
 */
async function findObjects({ dataplane, backendIds }: RestoreParts, keep: boolean): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const backendId of backendIds)
    for await (const { key, sizeBytes } of dataplane.list(backendId)) {
      if (parseObjectKey(key) === undefined) continue;
      if (!keep)
        throw new ArtifactstoreError('target_in_use', `The backend ${backendId} is not empty: it holds ${key}. Nothing was changed.`, {
          info: {
            hint:
              'restore into an empty directory or key prefix. If a restore was stopped here, or if this is the storage of the same registry ' +
              'and only its database was lost, use --resume',
          },
        });
      found.set(`${backendId} ${key}`, sizeBytes);
    }
  return found;
}
