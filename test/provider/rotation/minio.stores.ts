import { describe } from 'node:test';
import { rotate } from '../../../src/provider/rotation/rotate.ts';
import { directorySecrets } from '../../../src/secrets/directory.ts';
import { startDirectoryStore, whyNo } from '../../stores/directory-store.ts';
import { minio } from '../../stores/kinds.ts';
import { withoutPatience } from '../without-patience.ts';
import { serversFollow } from './follow-servers.ts';
import { openGate } from './gate.ts';
import { keepPair, sessionProvider } from './session-provider.ts';

describe('rotations at MinIO', { skip: whyNo(minio) ?? false }, () => {
  serversFollow('MinIO', async () => {
    await using starting = new AsyncDisposableStack();
    const store = starting.use(await startDirectoryStore(minio));
    const gate = starting.use(await openGate(store.url));
    const [bucket, otherBucket] = [await store.createBucket(), await store.createBucket()];
    const held = starting.move();
    const behind = { ...store, url: gate.url };
    return {
      store: behind,
      bucket,
      async prepare(_place, secretsPath) {
        const secrets = directorySecrets(secretsPath, { mayBeEmpty: true });
        await keepPair(secrets, behind);
        const provider = sessionProvider(behind, gate);
        return async (overlapSeconds) => {
          await rotate({
            ...{ provider, secrets, otherBucket, patience: withoutPatience(5000), now: Date.now },
            scope: { bucket, prefix: '' },
            lifetimeMilliseconds: 3_600_000,
            overlapMilliseconds: 1000 * overlapSeconds,
          });
        };
      },
      [Symbol.asyncDispose]: () => held.disposeAsync(),
    };
  });
});
