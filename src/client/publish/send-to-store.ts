import { setTimeout as pause } from 'node:timers/promises';
import type { Registry, WriteHandle, WriteSession } from '../../registry/REGISTRY.ts';
import { sharedLater } from '../../runtime/shared-later.ts';
import type { StorePut } from '../wire/store-put.ts';

/** Sends an object to the store by its handle; false where that is no way for it, and it goes to the server. */
export type SendToStore = (name: string, open: () => AsyncIterable<Uint8Array>, signal: AbortSignal | undefined) => Promise<boolean>;

/** So often another handle is tried before an object goes to the server. */
const mostTries = 3;
/** After so many objects one after the other that the store did not take, the others go to the server. */
const mostMissed = 3;
/** Handles end soon: after so long others are asked for. */
const usedMilliseconds = 300_000;

/**
 * Sends objects of one session by their handles, and asks for new ones when they end. A store that takes none, as one
 * that cannot be reached from here, is not tried for each of thousands.
 */
export function storeSender(
  { writeSessions, storePut }: Pick<Registry, 'writeSessions'> & { readonly storePut?: StorePut | undefined },
  session: WriteSession,
): SendToStore {
  if (storePut === undefined) return async () => false;
  let current = new Map(session.objects.map((object) => [object.name, object]));
  let at = performance.now();
  let missed = 0;

  const renew = sharedLater(async (): Promise<void> => {
    const found = await writeSessions.status(session.id);
    current = new Map((found?.objects ?? []).map((object) => [object.name, object]));
    at = performance.now();
  });

  async function handleOf(name: string, another: boolean): Promise<WriteHandle | 'there' | undefined> {
    const isUsable = (handle: WriteHandle | undefined) => handle !== undefined && storePut!.takes(handle);
    // Where the server gives no such handles there is nothing to renew.
    if (!isUsable(current.get(name)?.handle)) return undefined;
    if (another || performance.now() - at > usedMilliseconds) await renew();
    const object = current.get(name);
    if (object !== undefined && object.state !== 'put') return 'there';
    return isUsable(object?.handle) ? object?.handle : undefined;
  }

  return async (name, open, signal) => {
    for (let tries = 1; tries <= mostTries; tries++) {
      if (missed >= mostMissed) return false;
      const handle = await handleOf(name, tries > 1);
      if (handle === 'there') return true;
      if (handle === undefined) return false;
      const answer = await storePut.send(handle, open, signal);
      if (answer === 'taken') {
        missed = 0;
        return true;
      }
      if (answer === 'refused' && tries > 1) break;
      if (answer === 'unavailable') await pause(100 * 2 ** tries, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    }
    missed += 1;
    return false;
  };
}
