import { ArtifactstoreError } from '../kernel/error.ts';
import { stoppable, throwIfStopped } from '../runtime/stop.ts';
import { requireObjectKey } from './object-key.ts';
import type { ListedObject, Storage } from './STORAGE.ts';

/** A backend in a Map, for tests and try-outs: durable as long as the process. */
export function openMemoryStorage(options: { readonly id: string }): Storage {
  const objects = new Map<string, StoredBytes>();
  return {
    id: options.id,

    async put(key, source, putOptions = {}): Promise<void> {
      requireObjectKey(key);
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of stoppable(source, putOptions.signal)) {
        chunks.push(Uint8Array.from(chunk));
        size += chunk.byteLength;
      }
      throwIfStopped(putOptions.signal);
      if (putOptions.sizeBytes !== undefined && size !== putOptions.sizeBytes) {
        throw new ArtifactstoreError('length_mismatch', `The source is not the declared ${putOptions.sizeBytes} bytes long`);
      }
      objects.set(key, { bytes: Buffer.concat(chunks), modifiedMilliseconds: Date.now() });
    },

    async get(key, getOptions = {}) {
      throwIfStopped(getOptions.signal);
      const bytes = objects.get(requireObjectKey(key))?.bytes;
      if (bytes === undefined) return undefined;
      const first = getOptions.range?.first ?? 0;
      const end = getOptions.range === undefined ? bytes.byteLength : getOptions.range.last + 1;
      if (first < 0 || end > bytes.byteLength || first > end) {
        throw new ArtifactstoreError('internal', `The range ${first}-${end - 1} is not inside the ${bytes.byteLength} bytes of ${key}`);
      }
      return { sizeBytes: bytes.byteLength, body: chunksOf(bytes.subarray(first, end), getOptions.signal) };
    },

    async head(key, headOptions = {}) {
      throwIfStopped(headOptions.signal);
      const bytes = objects.get(requireObjectKey(key))?.bytes;
      return bytes === undefined ? undefined : { sizeBytes: bytes.byteLength };
    },

    async delete(key, deleteOptions = {}): Promise<void> {
      throwIfStopped(deleteOptions.signal);
      objects.delete(requireObjectKey(key));
    },

    async *list(prefix, listOptions = {}): AsyncGenerator<ListedObject> {
      for (const [key, { bytes, modifiedMilliseconds }] of objects) {
        throwIfStopped(listOptions.signal);
        if (key.startsWith(prefix)) yield { key, sizeBytes: bytes.byteLength, modifiedMilliseconds };
      }
    },

    async create(key, bytes, createOptions = {}) {
      throwIfStopped(createOptions.signal);
      if (objects.has(requireObjectKey(key))) return false;
      objects.set(key, { bytes: Uint8Array.from(bytes), modifiedMilliseconds: Date.now() });
      return true;
    },

    async health() {
      return { healthy: true, detail: 'ok', freeBytes: null, totalBytes: null };
    },
  };
}

interface StoredBytes {
  readonly bytes: Uint8Array;
  readonly modifiedMilliseconds: number;
}

async function* chunksOf(bytes: Uint8Array, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for (let first = 0; first < bytes.byteLength; first += chunkBytes) {
    throwIfStopped(signal);
    yield bytes.subarray(first, first + chunkBytes);
  }
}

const chunkBytes = 65_536;
