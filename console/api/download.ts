import { bytesOf, call } from './call.ts';

/**
 * Reads a route's bytes with the token, and hands them to the browser as a file: a link alone could not carry the
 * token. The browser keeps what is long on the disk. `onProgress` is told the bytes so far.
 * Errors: a `Problem`.
 */
export async function download(path: string, name: string, onProgress: (bytes: number) => void, signal: AbortSignal): Promise<void> {
  const response = await call(path, { signal });
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
  save(await bytesOf(new Response(counted ?? null)), name);
}

export function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
