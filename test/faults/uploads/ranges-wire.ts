import assert from 'node:assert/strict';
import { askerOf } from './curl.ts';
import { type Run, rememberOffset, until } from './run.ts';

/** 0.1's wire: the body, or ranges of it, at the upload's address, and then its name; sent by curl. */
export async function sendRanges({ url, packageId, path, bytes, random, signal, tally }: Run): Promise<void> {
  const see = rememberOffset(path);
  let address = '';
  await until(path, signal, async () => {
    const ask = askerOf(path, random, tally);
    const json = (text: object): readonly string[] => ['-H', 'content-type: application/json', '--data', JSON.stringify(text)];
    if (address === '') {
      const { status, headers } = await ask([`${url}/uploads`, ...json({ expected_size_bytes: bytes.length })]);
      if (status === 201) address = url + headers.location!;
      return false;
    }
    const where = await ask([address]);
    if (where.status !== 200) return false;
    const { offset_bytes, state } = JSON.parse(where.text) as { readonly offset_bytes: number; readonly state: string };
    const offset = see(offset_bytes);
    if (offset < bytes.length && state === 'open') {
      if (offset > 0) tally.continued += 1;
      if (offset === 0 && random(2) === 0) {
        const { status, headers } = await ask([address], bytes);
        if (status === 200) assert.equal(see(Number(headers['upload-offset'])), bytes.length);
        return false;
      }
      const end = random(2) === 0 ? bytes.length : offset + 1 + random(bytes.length - offset);
      const range = `content-range: bytes ${offset}-${end - 1}/${bytes.length}`;
      const { status, headers } = await ask([address, '-H', range], bytes.subarray(offset, end));
      if (status === 200) assert.equal(see(Number(headers['upload-offset'])), end);
      return false;
    }
    const { status } = await ask([`${address}/complete`, ...json({ package_id: packageId, relative_path: path })]);
    return status === 200 || status === 201;
  });
}
