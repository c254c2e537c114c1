import { restoreTarget } from '../database/restore.ts';
import { openDataPlane } from '../dataplane/streaming.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { formatTimestamp } from '../kernel/time.ts';
import { checkBackup, requireIdempotencyKeys } from '../registry/upkeep/check-backup.ts';
import type { CheckBackupOptions, CheckedBackup, Restored, RestoreOptions } from '../registry/upkeep/OPERATOR.ts';
import { restore } from '../registry/upkeep/restore.ts';
import { guardStorage } from '../storage/guarded.ts';
import { judgeStore } from '../storage/judge-store.ts';
import { kindOf } from '../storage/kind.ts';
import { backendKinds } from '../storage/kinds.ts';
import { requireTargetsOutside } from './apart.ts';
import { openBackup } from './open-backup.ts';
import { openBackend, openStore, type StoreConfig } from './open-store.ts';

/**
 * Brings a backup back into the database and the backends that the configuration names, and reads the log from there to
 * its end.
 */
export async function restoreStore(config: StoreConfig, directory: string, options: RestoreOptions): Promise<Restored> {
  const restored = await bringBack(config, directory, options);
  await using store = await openStore(config, { parts: 'database', readOnly: true });
  const { ok, sequence, chain_digest, reason } = await store.operator.verifyEvents();
  if (!ok || sequence !== restored.sequence || chain_digest !== restored.chain_digest)
    throw new ArtifactstoreError('integrity_failure', `The restored log is not that of the backup: ${reason ?? 'it ends elsewhere'}.`, {
      info: { sequence, chain_digest },
    });
  return restored;
}

async function bringBack(config: StoreConfig, directory: string, options: RestoreOptions): Promise<Restored> {
  await using opened = new AsyncDisposableStack();
  const place = await openBackup(directory, { write: false });
  opened.defer(() => place.close());
  await requireTargetsOutside(directory, config, backendKinds);
  const database = await restoreTarget(config.database);
  await database.requireEmpty();
  const registryId = (await place.record())!.registry.id;
  const backends = new Map<string, ReturnType<typeof guardStorage>>();
  for (const backend of config.backends) {
    const storage = await openBackend(backend, config);
    opened.defer(() => storage.close?.());
    const name = kindOf(backend, backendKinds).nameOf(backend);
    // There is no log yet: it will be that of the backup, so its registry is the one that the storage must belong to,
    // or nobody.
    const look = async () => ({ registryId, known: false, recorded: false, liveObjects: 0 });
    const verdict = await judgeStore(storage, name, look);
    if (verdict.kind === 'doubt') throw inUse(verdict.error);
    const record = async () => undefined;
    backends.set(backend.id, guardStorage(storage, { ...name, look, record, now: () => formatTimestamp(Date.now()) }));
  }
  const dataplane = openDataPlane({ backends, spoolDirectory: config.spoolDirectory, digestAlgorithm: config.digestAlgorithm });
  opened.defer(() => dataplane.close());
  return await restore({ place, dataplane, backendIds: [...backends.keys()], database, claimBackends }, options);

  async function claimBackends(): Promise<void> {
    for (const storage of backends.values()) await storage.ownership.claim();
  }
}

function inUse(doubt: ArtifactstoreError): ArtifactstoreError {
  return new ArtifactstoreError('target_in_use', doubt.message, {
    info: { hint: 'restore into an empty directory, or another bucket or key prefix' },
  });
}

/** Reads a backup from its first event to its last object, without a database or a storage. */
export async function checkBackupIn(directory: string, options: CheckBackupOptions): Promise<CheckedBackup> {
  await using opened = new AsyncDisposableStack();
  const place = await openBackup(directory, { write: false });
  opened.defer(() => place.close());
  const record = (await place.record())!;
  if (record.state === 'in progress')
    throw new ArtifactstoreError('integrity_failure', `The backup in ${place.directory} was never finished.`, {
      info: { hint: 'run `artifactstore backup` on the registry again; it resumes where it stopped' },
    });
  await requireIdempotencyKeys(place);
  const { registry, state, sequence, chain_digest, finished_at, missing } = record;
  return { registry_id: registry.id, state, sequence, chain_digest, finished_at, missing, ...(await checkBackup(place, record, options)) };
}
