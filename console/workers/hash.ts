import { createSHA256 } from 'hash-wasm';
import type { FromHashWorker, ToHashWorker } from './hash-messages.ts';

// A worker, so that the page stays at hand while gigabytes are hashed: one after the other, as they are asked for.

const hasher = createSHA256();
const stopped = new Set<number>();
let before: Promise<void> = Promise.resolve();

const post = (message: FromHashWorker): void => postMessage(message);

addEventListener('message', ({ data }: MessageEvent<ToHashWorker>) => {
  if (data.kind === 'stop') stopped.add(data.id);
  else before = before.then(() => answer(data));
});

async function answer(asked: Exclude<ToHashWorker, { readonly kind: 'stop' }>): Promise<void> {
  const { id } = asked;
  try {
    const sha256 = await hasher;
    sha256.init();
    if (asked.kind === 'text') {
      const encoder = new TextEncoder();
      for (const part of asked.parts) sha256.update(encoder.encode(part));
    } else {
      let bytes = 0;
      let told = performance.now();
      const reader = asked.file.stream().getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        if (stopped.has(id)) {
          await reader.cancel();
          break;
        }
        sha256.update(part.value);
        bytes += part.value.length;
        if (performance.now() - told > 100) {
          told = performance.now();
          post({ kind: 'progress', id, bytes });
        }
      }
    }
    if (!stopped.delete(id)) post({ kind: 'digest', id, sha256: sha256.digest('hex') });
  } catch (error) {
    if (!stopped.delete(id)) post({ kind: 'unreadable', id, why: error instanceof Error ? error.message : String(error) });
  }
}
