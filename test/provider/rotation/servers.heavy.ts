import { describe } from 'node:test';
import { openStrictStore } from '../../s3-stand-in/strict-store.ts';
import { openStrictIam } from '../aws-iam/strict-iam.ts';
import { serversFollow } from './follow-servers.ts';
import { rotateByCommand } from './rotate-by-command.ts';

describe('rotations at stand-ins', () => {
  serversFollow('the stand-ins of S3 and IAM', async () => {
    await using starting = new AsyncDisposableStack();
    const store = starting.use(await openStrictStore({ buckets: ['artifacts', 'payroll'] }));
    const iam = starting.use(await openStrictIam({ store }));
    const keys = { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey };
    const authorities = [authorityOf(iam.addUser()), authorityOf(iam.addUser())] as const;
    const held = starting.move();
    return {
      store: { url: store.url, region: store.region, keys },
      bucket: 'artifacts',
      prepare: (place, secretsPath) =>
        rotateByCommand(place, secretsPath, {
          ...{ provider: 'aws-iam', account: iam.account, url: iam.url, endpoint: store.url, authorities },
          ...{ bucket: 'artifacts', otherBucket: 'payroll', prefix: 'registry/of-tests' },
        }),
      [Symbol.asyncDispose]: () => held.disposeAsync(),
    };
  });
});

function authorityOf(text: string): { accessKeyId: string; secretAccessKey: string } {
  const [accessKeyId = '', secretAccessKey = ''] = text.split(':');
  return { accessKeyId, secretAccessKey };
}
