import type { ObjectReader, Storage } from '../storage/STORAGE.ts';
import { type HeldBytes, longestHeldBytes, type StoredObject } from './DATAPLANE.ts';
import { repeated } from './drafts/spool.ts';

/**
 * A backend beside the bytes that are held for it: those first, then the backend, then those again. Bytes are held
 * before anybody is told of their object, and until the backend has them: who finds them in neither has looked in the
 * backend before they came, or the object is gone.
 */
export function besideHeld(backend: Storage, held: HeldBytes | undefined, object: StoredObject): Pick<Storage, 'get'> {
  if (held === undefined || object.sizeBytes > longestHeldBytes) return backend;
  const { id } = backend;
  return {
    async get(key, options = {}) {
      const look = async (): Promise<ObjectReader | undefined> => {
        const bytes = await held.read(id, key);
        if (bytes === undefined) return undefined;
        const { range } = options;
        return { sizeBytes: bytes.byteLength, body: repeated([range === undefined ? bytes : bytes.subarray(range.first, range.last + 1)]) };
      };
      const before = object.settled === true ? undefined : await look();
      return before ?? (await backend.get(key, options)) ?? (await look());
    },
  };
}
