import { isArtifactstoreError } from '../kernel/error.ts';
import { forEachLimited } from '../runtime/limit.ts';
import type { FillablePackage, Staged } from './commit-files.ts';
import type { Context } from './context.ts';
import { incident } from './incident.ts';
import type { Ingest } from './ingest.ts';
import { stageFrom } from './objects/copy.ts';
import { recordDamage } from './objects/damage.ts';
import { storedObject } from './objects/stored-object.ts';
import type { AttachItem, CopySource } from './operations/attach.ts';
import type { Attached, AttachOptions, Created, File } from './REGISTRY.ts';

const copiesAtOnce = 4;
/**
 * One request copies no more than this between backends, so that its answer comes before a proxy gives up; of what is
 * beyond, the client sends the bytes.
 */
const copiedBytes = 1_073_741_824;

/**
 * Adds files whose bytes the registry has. They go where the package's route says: an object there is joined; bytes
 * that are only in another backend are copied, by the rule of an ingest, and checked on the way. `missing` is what has
 * to be sent: no good copy can be read now.
 */
export async function attachFiles(
  context: Context,
  actor: string,
  ingest: Ingest,
  packageId: string,
  items: readonly AttachItem[],
  { signal, records = true }: AttachOptions = {},
): Promise<readonly Attached[]> {
  const target = await ingest.openPackage(packageId);
  const { backendId } = target;
  // Nothing is joined in a store that is not the right one, though the log knows what lies there.
  await context.dataplane.ownership(backendId)?.claim();
  const { backendIds } = context;
  const results = await context.database.write('file.attach', {
    actor,
    package_id: packageId,
    backend_id: backendId,
    backend_ids: backendIds,
    quota: context.quotaOf(target.producer) ?? null,
    records,
    items,
  });
  const copies = results.flatMap((result, index) => ('sources' in result ? [{ index, item: items[index]!, sources: result.sources }] : []));
  const copied = await copyFiles(context, actor, { ingest, target, copies, signal });
  return items.map(({ relative_path }, index) => {
    const result = results[index]!;
    const added = 'created' in result ? result : copied.get(index);
    if (added === undefined) return { relative_path, result: 'missing' };
    return { relative_path, result: added.created ? 'created' : 'exists', ...(records ? { file: added.record! } : {}) };
  });
}

interface Copying {
  readonly ingest: Ingest;
  readonly target: FillablePackage;
  readonly copies: readonly { readonly index: number; readonly item: AttachItem; readonly sources: readonly CopySource[] }[];
  readonly signal: AbortSignal | undefined;
}

/** Those that could be copied, by their index; all of them in one transaction. */
async function copyFiles(context: Context, actor: string, copying: Copying): Promise<ReadonlyMap<number, Created<File>>> {
  const { ingest, target, copies, signal } = copying;
  const drafts = new Map<string, Staged['draft']>();
  const wanted = new Map<string, readonly CopySource[]>();
  let left = copiedBytes;
  for (const { sources } of copies) {
    const { content_address, size_bytes } = sources[0]!;
    if (wanted.has(content_address) || size_bytes > left) continue;
    left -= size_bytes;
    wanted.set(content_address, sources);
  }
  try {
    await forEachLimited(wanted, copiesAtOnce, async ([address, sources]) => {
      const draft = await context.takeStored(sources[0]!.size_bytes, () => stageCopy(context, actor, target.backendId, sources, signal));
      if (draft !== undefined) drafts.set(address, draft);
    });
    const staged = copies.flatMap(({ index, item, sources }) => {
      const draft = drafts.get(sources[0]!.content_address);
      if (draft === undefined) return [];
      const { relative_path, media_type, annotations } = item;
      return [{ index, file: { draft, relative_path, media_type, annotations } }];
    });
    if (staged.length === 0) return new Map();
    const added = await ingest.commit(
      target,
      staged.map(({ file }) => file),
    );
    return new Map(staged.map(({ index }, at) => [index, added[at]!]));
  } finally {
    for (const draft of drafts.values()) context.background('draft_left', context.dataplane.discard(draft));
  }
}

/**
 * The bytes in a draft of the backend, from the first source that can be read whole; undefined when there is none now.
 */
async function stageCopy(
  context: Context,
  actor: string,
  backendId: string,
  sources: readonly CopySource[],
  signal: AbortSignal | undefined,
): Promise<Staged['draft'] | undefined> {
  for (const source of sources) {
    const object = storedObject(source);
    try {
      const staged = await stageFrom(context, object, backendId, signal);
      if (!('result' in staged)) return staged;
      if (staged.result !== 'unreadable') await recordDamage(context, actor, object, source.generation, staged.reason);
    } catch (error) {
      // Nothing is known of bytes in a backend that is unavailable; where the copy should go must be well.
      if (!isArtifactstoreError(error, 'storage_unavailable') || (await isWell(context, source.backend_id))) throw error;
      context.onIncident(incident('source_unavailable', error));
    }
  }
  return undefined;
}

async function isWell(context: Context, backendId: string): Promise<boolean> {
  return (await context.dataplane.health()).get(backendId)?.healthy === true;
}
