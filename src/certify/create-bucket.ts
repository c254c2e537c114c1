import type { Reply, Wire } from './wire.ts';

/**
 * Asks for a bucket, first without a word about where: a region such as `auto` is no place to some stores. Who wants to
 * be told is told.
 */
export async function askForBucket(
  wire: Wire,
  region: string,
  { bucket, headers = {} }: { readonly bucket?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Reply> {
  const ask = (body: string): Promise<Reply> => wire.send({ method: 'PUT', headers, body, ...(bucket === undefined ? {} : { bucket }) });
  const first = await ask('');
  if (first.status !== 400 || region === 'us-east-1') return first;
  return await ask(`<CreateBucketConfiguration><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`);
}
