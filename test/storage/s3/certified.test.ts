import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { readConfig } from '../../../src/config/config.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { requireCertified } from '../../../src/storage/s3/certified.ts';
import type { S3BackendConfig } from '../../../src/storage/s3/config.ts';
import { openS3 } from '../../../src/storage/s3/configured.ts';
import { certificateOf } from '../../s3-stand-in/certificate-of.ts';

const directory = mkdtempSync(join(tmpdir(), 'artifactstore-certified-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const place = { endpoint: 'https://s3.example.org', bucket: 'artifacts' };
const now = Date.parse('2026-06-01T00:00:00.000Z');
const startedAt = new Date(now - 1000);
const variable = 'ARTIFACTSTORE_S3_PRESIGNED_UPLOADS';
let files = 0;

function backendWith(content: unknown): S3BackendConfig {
  const path = join(directory, `${files++}.json`);
  if (content !== undefined) writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  const environment = {
    ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
    ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 's3',
    ARTIFACTSTORE_S3_ENDPOINT_URL: place.endpoint,
    ARTIFACTSTORE_S3_BUCKET: place.bucket,
    ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:ACCESS',
    ARTIFACTSTORE_S3_SECRET_KEY_REF: 'env:SECRET',
    ARTIFACTSTORE_S3_PROFILE_PATH: path,
    [variable]: 'true',
  };
  return readConfig(environment, { directory }).backends[0] as S3BackendConfig;
}

async function refused(content: unknown, why: RegExp): Promise<void> {
  const backend = backendWith(content);
  await assert.rejects(requireCertified(backend, now), (error) => {
    assert.ok(isArtifactstoreError(error, 'invalid_configuration'), String(error));
    assert.equal(error.field, variable);
    assert.match(error.message, why);
    assert.match(error.message, /storage certify --save/);
    return true;
  });
}

describe('presigned uploads', () => {
  test('are off by default', () => {
    assert.equal((readConfig({}, { directory }).describe() as Record<string, string>)[variable], 'false');
  });

  test('are taken with a certificate of this bucket that finds them safe', async () => {
    assert.deepEqual(await requireCertified(backendWith(certificateOf(place, { startedAt })), now), { createOnly: true, copies: true });
  });

  test('are taken with precautions of this server, and without a condition where it is not obeyed', async () => {
    const found = { 'presigned.create-only': 'fail', 'presigned.metadata': 'fail', 'presigned.content-type': 'differs' } as const;
    assert.deepEqual(await requireCertified(backendWith(certificateOf(place, { startedAt, found })), now), {
      createOnly: false,
      copies: true,
    });
  });

  test('are copied only where a copy was found to be what it names', async () => {
    for (const id of ['objects.copy', 'objects.etag-is-md5'])
      for (const result of ['fail', 'differs', 'skipped'] as const) {
        const certificate = certificateOf(place, { startedAt, found: { [id]: result } });
        assert.deepEqual(await requireCertified(backendWith(certificate), now), { createOnly: true, copies: false });
      }
    const earlier = certificateOf(place, { startedAt });
    const probes = earlier.probes.filter(({ id }) => id !== 'objects.copy');
    assert.equal((await requireCertified(backendWith({ ...earlier, probes }), now)).copies, false);
  });

  test('are refused without a certificate, and with one that can not be read', async () => {
    await refused(undefined, /there is no certificate/);
    await refused('{', /is not a certificate/);
    await refused('[]', /is not a certificate/);
    await refused({}, /another place/);
  });

  test('are refused with that of another place, of another time, or of none', async () => {
    await refused(certificateOf({ ...place, bucket: 'other' }, { startedAt }), /another place: other at https/);
    await refused(certificateOf({ ...place, endpoint: 'https://s4.example.org' }, { startedAt }), /another place/);
    await refused(certificateOf(place, { startedAt: new Date(now - 91 * 86_400_000) }), /more than 90 days ago/);
    await refused(certificateOf(place, { startedAt: new Date(now + 7_200_000) }), /of the future/);
    await refused({ ...certificateOf(place), started_at: 'yesterday' }, /of when it is/);
  });

  for (const id of ['presigned.length', 'presigned.digest', 'presigned.expired-put', 'presigned.copy-source', 'presigned.acl'])
    for (const result of ['fail', 'differs', 'skipped'] as const)
      test(`are refused where ${id} was found to be: ${result}`, async () => {
        await refused(certificateOf(place, { startedAt, found: { [id]: result } }), /presigned addresses|addresses bind: presigned\./);
      });

  test('are refused where registry storage is not safe, or nothing was asked', async () => {
    await refused(certificateOf(place, { startedAt, found: { 'listing.after-write': 'fail' } }), /unsafe for registry storage/);
    await refused({ ...certificateOf(place, { startedAt }), uses: [] }, /unproven for registry storage/);
    await refused({ ...certificateOf(place, { startedAt }), probes: [] }, /addresses bind: presigned\.put/);
  });

  test('give a backend that signs addresses, and none where they are off', async () => {
    const keys = { keys: async () => ({ accessKeyId: 'a', secretAccessKey: 's' }), refused: () => undefined };
    const parts = { credentials: () => keys };
    const backend = backendWith(certificateOf(place));
    const [on, off] = [await openS3(backend, parts), await openS3({ ...backend, presignedUploads: false }, parts)];
    assert.notEqual(on.presign, undefined);
    assert.equal(off.presign, undefined);
    await assert.rejects(openS3(backendWith(undefined), parts), { code: 'invalid_configuration' });
    // As a backup opens it, which is not to wait for a certificate.
    const none = await openS3(backendWith(undefined), { ...parts, givesAddresses: false });
    assert.equal(none.presign, undefined);
    const still = await openS3(backend, { ...parts, givesAddresses: false });
    assert.notEqual(still.presign, undefined);
    for (const each of [on, off, none, still]) each.close();
  });
});
