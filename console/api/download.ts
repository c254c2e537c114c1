import { bytesOf, call } from './call.ts';
import { brokenOff } from './problem.ts';

/**
 * Reads a route's bytes with the token, and hands them to the browser as a file: a link alone could not carry the
 * token. The browser keeps what is long on the disk. `onProgress` is told the bytes so far.
 * Errors: a `Problem`.
 */
export async function download(path: string, name: string, onProgress: (bytes: number) => void, signal: AbortSignal): Promise<void> {
  // A browser begins the whole with a part that it has kept, and ends it there where the server refuses the rest.
  const response = await call(path, { signal, uncached: true });
  let bytes = 0;
  const counted = response.body?.pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        bytes += chunk.length;
        onProgress(bytes);
        controller.enqueue(chunk);
      },
    }),
  );
  const blob = await bytesOf(new Response(counted ?? null));
  const length = response.headers.has('content-encoding') ? null : response.headers.get('content-length');
  if (length !== null && blob.size !== Number(length)) throw brokenOff();
  save(blob, name);
}

export function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
