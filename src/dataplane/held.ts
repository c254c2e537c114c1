import type { GetOptions, ObjectReader, Storage } from '../storage/STORAGE.ts';
import { type HeldBytes, longestHeldBytes, type StoredObject } from './DATAPLANE.ts';
import { repeated } from './drafts/spool.ts';

/** `held`: the bytes do not come from the backend. */
type HeldReader = ObjectReader & { readonly held?: true };

export interface Reads {
  get(key: string, options?: GetOptions): Promise<HeldReader | undefined>;
}

/**
 * A backend beside the bytes that are held for it: those first, then the backend, then those again. Bytes are held
 * before anybody is told of their object, and until the backend has them: who finds them in neither has looked in the
 * backend before they came, or the object is gone.
 */
export function besideHeld(backend: Storage, held: HeldBytes | undefined, object: StoredObject): Reads {
  if (held === undefined || object.sizeBytes > longestHeldBytes) return backend;
  const { id } = backend;
  return {
    async get(key, options = {}) {
      const look = async (): Promise<HeldReader | undefined> => {
        const bytes = await held.read(id, key);
        if (bytes === undefined) return undefined;
        const { range } = options;
        const asked = range === undefined ? bytes : bytes.subarray(range.first, range.last + 1);
        return { sizeBytes: bytes.byteLength, bytes: asked, body: repeated([asked]), held: true };
      };
      const before = object.settled === true ? undefined : await look();
      return before ?? (await backend.get(key, options)) ?? (await look());
    },
  };
}
