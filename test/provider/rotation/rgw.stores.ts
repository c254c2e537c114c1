import { describe } from 'node:test';
import { startRgw, whyNoRgw } from '../../stores/rgw.ts';
import { serversFollow } from './follow-servers.ts';
import { rotateByCommand } from './rotate-by-command.ts';

describe('rotations at a Ceph gateway', { skip: whyNoRgw() ?? false }, () => {
  serversFollow('a Ceph gateway', async () => {
    await using starting = new AsyncDisposableStack();
    const rgw = starting.use(await startRgw());
    const other = await rgw.createUser();
    const [bucket, otherBucket] = await Promise.all([rgw.createBucket(), rgw.createBucket(other.keys)]);
    const authorities = [await rgw.createUser('users=*;buckets=read'), await rgw.createUser('users=*;buckets=read')] as const;
    const held = starting.move();
    return {
      store: rgw,
      bucket,
      prepare: (place, secretsPath) =>
        rotateByCommand(place, secretsPath, {
          ...{ provider: 'ceph-admin', account: rgw.user.id, url: rgw.url, bucket, otherBucket },
          authorities: [authorities[0].keys, authorities[1].keys],
        }),
      [Symbol.asyncDispose]: () => held.disposeAsync(),
    };
  });
});
