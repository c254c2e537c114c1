import { blockBytes } from '../../dataplane/DATAPLANE.ts';
import { isArtifactstoreError } from '../../kernel/error.ts';
import type { Recheck, RegistryParts } from '../context.ts';
import { incident } from '../incident.ts';
import { readWhole } from './read-whole.ts';

const pauseMilliseconds = 10_000;
const keptPauses = 1000;

/**
 * Damage that was recorded may be over: the disk was mounted again, a backup put back. A long object that is still
 * damaged is not read again at once, however many ask for it.
 */
export function createRecheck(parts: RegistryParts): Recheck {
  const running = new Map<string, Promise<boolean>>();
  const pauses = new Map<string, number>();

  async function check(...[actor, object, generation]: Parameters<Recheck>): Promise<boolean> {
    const verdict = await readWhole(parts, object, undefined);
    if (verdict.result !== 'ok') return false;
    const { backendId: backend_id, contentAddress: content_address } = object;
    await parts.database.write('object.clear', { actor, backend_id, content_address, generation }).catch((error: unknown) => {
      // The bytes are good anyway; the next read records it.
      if (!isArtifactstoreError(error)) throw error;
      parts.onIncident(incident('recovery_unrecorded', error));
    });
    return true;
  }

  return (actor, object, generation) => {
    const name = `${object.backendId} ${object.objectKey}`;
    const under = running.get(name);
    if (under !== undefined) return under;
    if (parts.now() < (pauses.get(name) ?? 0)) return Promise.resolve(false);
    const checking = check(actor, object, generation)
      .then((good) => {
        if (good || object.sizeBytes <= blockBytes) return good;
        if (pauses.size >= keptPauses) pauses.clear();
        pauses.set(name, parts.now() + pauseMilliseconds);
        return good;
      })
      .finally(() => running.delete(name));
    running.set(name, checking);
    return checking;
  };
}
