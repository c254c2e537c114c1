import { parseObjectKey } from '../../kernel/content/key.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { Context } from '../context.ts';
import { countLive, heldSizes } from './collect.ts';
import type { Adoption, AdoptOptions, UnusableBackend } from './OPERATOR.ts';
import { requireBackend } from './verify.ts';

const keysPerStep = 1000;
const claimMilliseconds = 3000;

/** See `Operator.claimStorage`. A backend that does not answer holds nobody up. */
export async function claimStorage(context: Context): Promise<readonly UnusableBackend[]> {
  await context.dataplane.prepare();
  const answers = await Promise.all(
    context.backendIds.map(async (backend_id): Promise<readonly UnusableBackend[]> => {
      const late = new Promise<string>((resolve) => setTimeout(resolve, claimMilliseconds, 'it does not answer').unref());
      const claimed = (context.dataplane.ownership(backend_id)?.claim() ?? Promise.resolve()).then(
        () => undefined,
        (error: unknown) => (isArtifactstoreError(error) ? error.message : String(error)),
      );
      const detail = await Promise.race([claimed, late]);
      return detail === undefined ? [] : [{ backend_id, detail }];
    }),
  );
  return answers.flat();
}

/** What lies in a backend, whosesoever it is, beside what the log says should lie there. */
export async function planAdoption(context: Context, backendId: string, options: AdoptOptions): Promise<Adoption> {
  const { database } = context;
  const ownership = requireOwnership(context, backendId);
  const counts = { stored_objects: 0, stored_bytes: 0, found_objects: 0, unknown_objects: 0, foreign_objects: 0 };
  let keys: string[] = [];
  const held = await heldSizes(context, backendId);
  const settle = async (): Promise<void> => {
    for (const key of keys) held.delete(key);
    const own = keys.filter((key) => parseObjectKey(key) !== undefined);
    const unknown = (await database.read('collect.find_orphans', { backend_id: backendId, keys: own })).length;
    counts.unknown_objects += unknown;
    counts.found_objects += own.length - unknown;
    counts.foreign_objects += keys.length - own.length;
    keys = [];
    options.onProgress?.(counts.stored_objects);
  };
  let marked = false;
  for await (const { key, sizeBytes } of ownership.list(options)) {
    if (key === ownership.markerKey) {
      marked = await isMarked(ownership);
      continue;
    }
    counts.stored_objects += 1;
    counts.stored_bytes += sizeBytes;
    keys.push(key);
    if (keys.length >= keysPerStep) await settle();
  }
  await settle();
  // The database has them.
  counts.found_objects += held.size;
  const live = await countLive(context, backendId);
  const { registry_id: registryId } = await database.read('backend.look', { backend_id: backendId, counted: false });
  return { backend_id: backendId, registry_id: registryId, marked, ...counts, live_objects: live.objects, live_bytes: live.bytes };
}

export async function adoptStorage(context: Context, backendId: string): Promise<void> {
  await requireOwnership(context, backendId).adopt();
}

/** Whether the marker that is there is the registry's own; another's is thrown. */
async function isMarked(ownership: Ownership): Promise<boolean> {
  await ownership.confirm();
  return true;
}

type Ownership = NonNullable<ReturnType<Context['dataplane']['ownership']>>;

function requireOwnership(context: Context, backendId: string): Ownership {
  requireBackend(context, backendId);
  const ownership = context.dataplane.ownership(backendId);
  if (ownership === undefined) throw new ArtifactstoreError('internal', `Nobody watches the backend "${backendId}"`);
  return ownership;
}
