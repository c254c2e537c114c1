import type { FromHashWorker, ToHashWorker } from '../workers/hash-messages.ts';
import { startHasher } from '../workers/start.ts';

interface Asked {
  readonly resolve: (sha256: string) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: ((bytes: number) => void) | undefined;
}

/** A file of this computer that cannot be read: it has changed since it was chosen, or is gone. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
}

let worker: Worker | undefined;
let last = 0;
const waiting = new Map<number, Asked>();

/** SHA-256 in lowercase hex. Errors: `UnreadableFile`, or the signal's reason. */
export function hashFile(file: Blob, onProgress: (bytes: number) => void, signal: AbortSignal): Promise<string> {
  return ask((id) => ({ kind: 'file', id, file }), onProgress, signal);
}

/** SHA-256 of texts one after the other, as UTF-8. */
export function hashTexts(parts: readonly string[], signal: AbortSignal): Promise<string> {
  return ask((id) => ({ kind: 'text', id, parts }), undefined, signal);
}

function ask(message: (id: number) => ToHashWorker, onProgress: Asked['onProgress'], signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const id = ++last;
  const { promise, resolve, reject } = withResolvers<string>();
  waiting.set(id, { resolve, reject, onProgress });
  const stop = (): void => {
    waiting.delete(id);
    worker?.postMessage({ kind: 'stop', id } satisfies ToHashWorker);
    reject(signal.reason);
  };
  signal.addEventListener('abort', stop, { once: true });
  started().postMessage(message(id));
  return promise.finally(() => signal.removeEventListener('abort', stop));
}

/** `Promise.withResolvers`, for the browsers of 2023. */
function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((one, other) => {
    resolve = one;
    reject = other;
  });
  return { promise, resolve, reject };
}

function started(): Worker {
  if (worker !== undefined) return worker;
  const made = startHasher();
  worker = made;
  made.addEventListener('message', ({ data }: MessageEvent<FromHashWorker>) => {
    const asked = waiting.get(data.id);
    if (asked === undefined) return;
    if (data.kind === 'progress') return asked.onProgress?.(data.bytes);
    waiting.delete(data.id);
    if (data.kind === 'digest') asked.resolve(data.sha256);
    else asked.reject(new UnreadableFile(data.why));
  });
  made.addEventListener('error', (event) => {
    // A worker that could not be loaded, or that broke: the next question starts another.
    if (worker === made) worker = undefined;
    const all = [...waiting.values()];
    waiting.clear();
    for (const { reject } of all) reject(new Error(event.message || 'The worker that hashes has stopped.'));
  });
  return made;
}
