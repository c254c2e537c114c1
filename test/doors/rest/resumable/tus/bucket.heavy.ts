import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ageUpload } from '../../../../registry/age.ts';
import { openBucket } from '../../../../registry/uploads/open-machines.ts';
import type { Lies } from '../../../../s3-stand-in/strict-store.ts';
import { authorization, openDoor } from '../../open-door.ts';
import { send, sha256Of } from './client.ts';

const bytes = Buffer.alloc(20_000_000, 'bytes of a bucket ');
const kinds: Readonly<Record<string, Lies>> = {
  'a bucket': {},
  'a bucket whose lists are of a while ago and end at 1,000, and whose aborted uploads keep their parts': {
    staleList: true,
    listTruncatedAt1000: true,
    abortKeepsParts: true,
    lagMilliseconds: 500,
  },
};

for (const [kind, lies] of Object.entries(kinds))
  test(`tus-js-client sends files to ${kind}, and nothing is left of its uploads`, async () => {
    const { store: bucket, environment } = await openBucket({ lies });
    await using door = await openDoor({ environment });
    const { id } = await door.newPackage();
    const to = (path: string) => ({
      endpoint: `${door.url}/uploads`,
      headers: { authorization },
      metadata: { package_id: id, relative_path: path },
    });
    await send(bytes, to('whole'));
    await send(bytes.subarray(1), { ...to('pieces'), chunkSize: 3_000_000 });
    await send(bytes.subarray(2), { ...to('parallel'), parallelUploads: 3, chunkSize: 2_500_000 });
    for (const [path, skipped] of [
      ['whole', 0],
      ['pieces', 1],
      ['parallel', 2],
    ] as const) {
      const read = await door.call(`/packages/${id}/files/${path}`);
      assert.equal(sha256Of(new Uint8Array(await read.arrayBuffer())), sha256Of(bytes.subarray(skipped)), path);
    }
    // One is given up and one is left; parts of what was made in parallel are left as well.
    for (const ends of ['abandoned', 'expired']) {
      const { id: left } = await door.registry.uploads!.begin({});
      await door.registry.uploads!.append(left, 0, once(bytes.subarray(0, 9_000_000)));
      if (ends === 'abandoned') await door.registry.uploads!.abandon(left);
    }
    for (const { id: open } of (await door.store.operator.listUploads()).items) await ageUpload(door.store.config, open, 90_000);
    await door.store.operator.collect();
    await pause(600);
    await door.store.operator.collect({ draftAgeSeconds: -1 });
    assert.deepEqual(
      bucket.objects('artifacts').filter((key) => key.startsWith('uploads/')),
      [],
    );
    await bucket.close();
  });

async function* once(part: Uint8Array): AsyncGenerator<Uint8Array> {
  yield part;
}
