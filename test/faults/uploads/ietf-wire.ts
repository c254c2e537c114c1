import { askerOf } from './curl.ts';
import { type Run, rememberOffset, until } from './run.ts';

/** The IETF's wire: a PUT of the file that may break off, and PATCHes of what 104 named; sent by curl. */
export async function sendByIetf({ url, packageId, path, bytes, random, signal, tally }: Run): Promise<void> {
  const see = rememberOffset(path);
  let address = '';
  await until(path, signal, async () => {
    const ask = askerOf(path, random, tally);
    const complete = (end: number): readonly string[] => ['-H', `upload-complete: ?${end === bytes.length ? 1 : 0}`];
    if (address === '') {
      const end = random(2) === 0 ? bytes.length : 1 + random(bytes.length);
      const { status, headers } = await ask(
        [
          `${url}/packages/${packageId}/files/${path}`,
          ...['-H', 'upload-draft-interop-version: 8', '-H', `upload-length: ${bytes.length}`],
          ...complete(end),
        ],
        bytes.subarray(0, end),
      );
      if (headers.location?.startsWith('/uploads/')) address = url + headers.location;
      return end === bytes.length && (status === 200 || status === 201);
    }
    const where = await ask(['-I', address]);
    if (where.status !== 200) return false;
    if (where.headers['upload-complete'] === '?1') return true;
    const offset = see(Number(where.headers['upload-offset']));
    if (offset > 0) tally.continued += 1;
    const end = random(2) === 0 ? bytes.length : Math.min(bytes.length, offset + 1 + random(bytes.length - offset + 1));
    const { status } = await ask(
      [...['-X', 'PATCH', address, '-H', `upload-offset: ${offset}`, '-H', 'content-type: application/partial-upload'], ...complete(end)],
      bytes.subarray(offset, end),
    );
    return end === bytes.length && (status === 200 || status === 201);
  });
}
