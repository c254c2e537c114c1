import type { StoredObject } from '../../dataplane/DATAPLANE.ts';
import type { ContentAddress } from '../../kernel/content/address.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Context, RegistryParts, Repair } from '../context.ts';
import type { ObjectRow } from '../operations/objects.ts';
import { type Copy, createCopy } from './copy.ts';
import { recordDamage } from './damage.ts';
import { burnPublished, tryRemoveDead } from './remove-dead.ts';
import { inRounds } from './rounds.ts';
import { storedObject } from './stored-object.ts';

const atOnce = 2;
const pauseMilliseconds = 60_000;
const keptPauses = 1000;

/**
 * Few at a time, and not one that could not be repaired a moment ago: whatever is left out, the next read asks for
 * again.
 */
export function createRepair(parts: RegistryParts, background: Context['background']): Repair {
  const running = new Set<string>();
  const pauses = new Map<string, number>();
  return (actor, backendId, contentAddress) => {
    const name = `${backendId} ${contentAddress}`;
    if (running.size >= atOnce || running.has(name) || parts.now() < (pauses.get(name) ?? 0)) return;
    running.add(name);
    if (pauses.size >= keptPauses) pauses.clear();
    pauses.set(name, parts.now() + pauseMilliseconds);
    const work = repair(parts, actor, backendId, contentAddress)
      .then((repaired) => {
        if (repaired) pauses.delete(name);
      })
      .finally(() => running.delete(name));
    background('repair_failed', work);
  };
}

/** Whether it is good now. */
async function repair(parts: RegistryParts, actor: string, backendId: string, contentAddress: ContentAddress): Promise<boolean> {
  const { backendIds, database } = parts;
  if (!backendIds.includes(backendId)) return false;
  const copies = await database.read('object.copies', { content_address: contentAddress, backend_ids: backendIds });
  const bad = copies.find((object) => object.backend_id === backendId);
  if (bad?.state !== 'failed') return true;
  let failure: unknown;
  for (const object of copies) {
    if (object.state !== 'live') continue;
    const source = storedObject(object);
    const copy = createCopy(parts, source, backendId);
    let settled = false;
    try {
      settled = await publish(parts, actor, { source, object, copy, backendId, generation: bad.next_generation });
      if (settled) return true;
    } catch (error) {
      // Another backend may have them too.
      failure = error;
    } finally {
      if (!settled)
        await burnPublished(parts, actor, [{ backend_id: backendId, content_address: contentAddress, generations: copy.generations }]);
      await copy.discard();
    }
  }
  if (failure !== undefined) throw failure;
  return false;
}

interface Attempt {
  readonly source: StoredObject;
  readonly object: ObjectRow;
  readonly copy: Copy;
  readonly backendId: string;
  readonly generation: number;
}

/** False when the source is bad too. */
async function publish(parts: RegistryParts, actor: string, attempt: Attempt): Promise<boolean> {
  const { source, object, copy, backendId } = attempt;
  const { contentAddress: content_address } = source;
  let { generation } = attempt;
  const settled = await inRounds(async () => {
    const published = await copy.publish(generation);
    if (published.result === 'source') {
      const { result, reason } = published.verdict;
      if (result !== 'unreadable') await recordDamage(parts, actor, source, object.live_generation!, reason);
      return false;
    }
    if (published.result === 'copy')
      throw new ArtifactstoreError('integrity_failure', `What was copied to backend "${backendId}" reads as something else there.`, {
        info: { backend_id: backendId, content_address, reason: published.verdict.reason },
      });
    const input = { actor, backend_id: backendId, content_address, generations: copy.generations };
    const answer = await parts.database.write('object.repair', input);
    if (answer.outcome === 'settled') {
      await tryRemoveDead(parts, answer.dead);
      return true;
    }
    generation = answer.generation;
    return undefined;
  });
  return settled ?? false;
}
