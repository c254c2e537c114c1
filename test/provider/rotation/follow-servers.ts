import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { documentNames, readCurrent, readGeneration, signingKeys } from '../../../src/provider/documents.ts';
import { directorySecrets } from '../../../src/secrets/directory.ts';
import type { Secrets } from '../../../src/secrets/SECRETS.ts';
import { openWorkplace, type Workplace } from '../../cli/workplace.ts';
import { settingsFor } from '../../stores/place.ts';
import { clientOf, type RealStore, type StoreKeys } from '../../stores/store.ts';
import { openPrivateFolder } from '../private-file.ts';
import { beginServerLoad } from './server-load.ts';

export interface FollowGround extends AsyncDisposable {
  readonly store: Pick<RealStore, 'url' | 'region' | 'keys'>;
  readonly bucket: string;
  /** Makes ready what a rotation needs; the answer rotates once, and ends the keys before after this overlap. */
  prepare(place: Workplace, secretsPath: string): Promise<(overlapSeconds: number) => Promise<void>>;
}

const rotations = 10;
/** The server looks once a second. */
const overlapSeconds = 3;

/** A server that runs while its keys are replaced ten times, the old ones ended each time. */
export function serversFollow(name: string, open: () => Promise<FollowGround>): void {
  test(`a running server on ${name} follows ${rotations} rotations under load without one failed request`, {
    timeout: 600_000,
  }, async () => {
    await using ground = await open();
    const { store, bucket } = ground;
    using folder = openPrivateFolder();
    const path = join(folder.path, 'keys');
    mkdirSync(path, { mode: 0o700 });
    // The server has no keys of its own.
    const settings = Object.entries(settingsFor(store, bucket)).filter(([key]) => !/_REF$|^STORE_/.test(key));
    using place = openWorkplace({
      ...Object.fromEntries(settings),
      ARTIFACTSTORE_S3_CREDENTIALS: 'generation',
      ARTIFACTSTORE_S3_GENERATIONS: `file:${path}`,
    });
    const rotate = await ground.prepare(place, path);
    const secrets = directorySecrets(path);
    await rotate(0);
    const server = await place.serve('serve', '--port', '0');
    await using load = await beginServerLoad(server.url);
    for (let round = 0; round < rotations; round += 1) {
      const before = await currentKeys(secrets);
      const since = load.requests();
      await rotate(overlapSeconds);
      const after = await currentKeys(secrets);
      assert.notEqual(after.accessKeyId, before.accessKeyId);
      await assertEnded(store, bucket, before);
      // Some of each generation, however slow the machine is.
      while (load.requests() - since <= 5) await sleep(50);
      assert.deepEqual(load.failures(), []);
    }
    await load.stop();
    assert.deepEqual(load.failures(), []);
    assert.doesNotMatch(server.log(), /storage_unavailable|InvalidAccessKeyId|AccessDenied/);
    const verified = await place.run('storage', 'verify', '--backend', 's3');
    assert.equal(verified.code, 0, verified.stderr);
    assert.equal(await server.signal('SIGTERM'), 0);
  });
}

async function currentKeys(secrets: Secrets): Promise<StoreKeys> {
  const pointer = await secrets.get(documentNames.current);
  const { generation: number = 0 } = readCurrent(pointer!.value);
  const stored = await secrets.get(documentNames.generation(number));
  const read = readGeneration(stored!.value, number);
  assert.ok(read !== 'ended');
  return signingKeys(read.keys.proxy);
}

/** The store itself does not take them any more. */
async function assertEnded(store: FollowGround['store'], bucket: string, keys: StoreKeys): Promise<void> {
  const client = clientOf({ ...store, keys });
  try {
    await assert.rejects(client.send(new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1 })), (error) => {
      const { $metadata } = error as { readonly $metadata?: { readonly httpStatusCode?: number } };
      return $metadata?.httpStatusCode === 403;
    });
  } finally {
    client.destroy();
  }
}
