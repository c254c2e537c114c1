import assert from 'node:assert/strict';
import { type DetailedError, Upload } from 'tus-js-client';
import { authorization, noteAnswer, type Run, rememberOffset, requirePassing, until } from './run.ts';

/** tus, by tus-js-client: stopped in the middle and made again with nothing but the address. */
export async function sendByTus({ url, packageId, path, bytes, random, signal, tally }: Run): Promise<void> {
  const see = rememberOffset(path);
  let address: string | null = null;
  await until(path, signal, async () => {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const upload = new Upload(bytes, {
      endpoint: `${url}/uploads`,
      uploadUrl: address,
      headers: { authorization },
      metadata: { package_id: packageId, relative_path: path },
      // Each PATCH to a bucket writes a short tail once more: thousands of them take minutes.
      chunkSize: Math.ceil(bytes.length / 50) + random(bytes.length),
      // As it is where nothing is said, a lost server included.
      retryDelays: [0, 1_000, 3_000, 5_000],
      uploadDataDuringCreation: random(2) === 0,
      onAfterResponse(request, response) {
        const offset = response.getHeader('upload-offset');
        noteAnswer(path, `${request.getMethod()}: ${response.getStatus()} ${offset ?? ''}`.trimEnd());
        if (offset != null && response.getStatus() < 300) see(Number(offset));
        if (request.getMethod() === 'HEAD' && Number(offset) > 0) tally.continued += 1;
        if (request.getMethod() !== 'POST' || response.getStatus() !== 201) return;
        if (address !== null) reject(new Error(`${path} was begun again`));
        address = new URL(response.getHeader('location')!, url).href;
      },
      onSuccess: () => resolve(true),
      onError(error) {
        const response = (error as DetailedError).originalResponse;
        try {
          requirePassing(path, response?.getStatus() ?? 0, error.message);
          resolve(false);
        } catch (fault) {
          reject(fault);
        }
      },
    });
    const stop = (): void => {
      tally.killed += 1;
      void upload.abort().then(() => resolve(false));
    };
    const timer = random(2) === 0 ? setTimeout(stop, random(200)) : undefined;
    upload.start();
    const done = await promise.finally(() => clearTimeout(timer));
    if (done) assert.equal(see(bytes.length), bytes.length);
    return done;
  });
}
