import { createHash } from 'node:crypto';
import { Upload, type UploadOptions } from 'tus-js-client';

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Sends bytes with tus-js-client; the address of the upload. `watch` is given the upload before it starts. */
export async function send(
  bytes: Buffer | NodeJS.ReadableStream,
  options: Partial<UploadOptions>,
  watch: (upload: Upload) => void = () => undefined,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const upload = new Upload(bytes as Buffer, {
    retryDelays: [0, 100, 200, 400],
    ...options,
    onSuccess: () => resolve(upload.url!),
    onError: reject,
  });
  watch(upload);
  upload.start();
  return await promise;
}
