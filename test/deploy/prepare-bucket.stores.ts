import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Certificate } from '../../src/certify/certificate.ts';
import { startDirectoryStore, whyNo } from '../stores/directory-store.ts';
import { minio } from '../stores/kinds.ts';
import { openPlace } from '../stores/place.ts';
import { whyMissing } from '../stores/store.ts';
import { root } from './manifests.ts';

const run = promisify(execFile);
const client = join(root, 'node_modules/.cache/stores/mc/mc');
const why = whyNo(minio) ?? whyMissing('mc', [client], 'tools/stores/install-mc.sh');

test('the bucket of deploy/compose is made once, with a user who reaches nothing else', { skip: why ?? false }, async () => {
  await using store = await startDirectoryStore(minio);
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-bucket-'));
  try {
    const keys = { accessKeyId: randomBytes(10).toString('hex'), secretAccessKey: randomBytes(20).toString('hex') };
    const secrets = join(folder, 'secrets');
    mkdirSync(secrets);
    for (const [name, value] of Object.entries({
      'minio-root-user': store.keys.accessKeyId,
      'minio-root-password': store.keys.secretAccessKey,
      's3-access-key': keys.accessKeyId,
      's3-secret-key': keys.secretAccessKey,
    }))
      writeFileSync(join(secrets, name), `${value}\n`);
    const env = {
      PATH: `${dirname(client)}:/usr/bin:/bin`,
      SECRETS_DIRECTORY: secrets,
      MC_CONFIG_DIR: join(folder, 'mc'),
      MINIO_URL: store.url,
      BUCKET: 'artifacts',
    };
    for (const round of ['made', 'there']) {
      const { stdout, stderr } = await run('sh', [join(root, 'deploy/compose/minio/prepare-bucket.sh')], { env });
      assert.match(stdout, /the bucket artifacts is there, and a user for it/, round);
      for (const value of [keys.secretAccessKey, store.keys.secretAccessKey]) assert.ok(!`${stdout}${stderr}`.includes(value), round);
    }
    const other = await store.createBucket();
    using place = openPlace({ ...store, keys }, 'artifacts', { environment: { ARTIFACTSTORE_S3_KEY_PREFIX: '' } });
    await place.json('migrate');
    const { stdout, stderr } = await place.run('storage', 'certify', '--family', 'reach', '--other-bucket', other, '--json');
    const { scope } = JSON.parse(stdout) as Certificate;
    assert.equal(scope.verdict, 'proven', `${JSON.stringify(scope)} ${stderr}`);
    await run(client, ['ready', 'local'], { env: { ...env, MC_HOST_local: store.url } });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
