import { askerOf } from './curl.ts';
import { type Run, until } from './run.ts';

/** One plain PUT of the whole file, made again until it is answered; sent by curl. */
export async function sendWhole({ url, packageId, path, bytes, random, signal, tally }: Run): Promise<void> {
  await until(path, signal, async () => {
    const { status } = await askerOf(path, random, tally)([`${url}/packages/${packageId}/files/${path}`], bytes);
    return status === 200 || status === 201;
  });
}
