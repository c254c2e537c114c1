import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Certificate } from '../../../src/certify/certificate.ts';
import { readProfile, writeProfile } from '../../../src/storage/s3/profile.ts';

const directory = mkdtempSync(join(tmpdir(), 'artifactstore-profile-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const certificate: Certificate = {
  store: { endpoint: 'https://s3.example.org', region: 'us-east-1', bucket: 'artifacts', server: null },
  version: '0.0.0',
  started_at: '2026-01-01T00:00:00.000Z',
  seconds: 1,
  grade: 'B',
  uses: [],
  scope: { verdict: 'unproven', decided_by: [] },
  probes: [],
  dialect: { bodyBinding: 'content-md5', ownerAcl: true },
  leftovers: [],
};

describe("a store's profile", () => {
  test('is read as it was written, in a folder that was not there, and leaves no draft', async () => {
    const path = join(directory, 'var', 'deep', 's3-profile.json');
    await writeProfile(path, certificate);
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), certificate);
    assert.deepEqual(await readProfile(path), { endpointUrl: 'https://s3.example.org', bucket: 'artifacts', dialect: certificate.dialect });
    await writeProfile(path, { ...certificate, dialect: { bodyBinding: 'signed-sha256', ownerAcl: false } });
    assert.deepEqual((await readProfile(path))?.dialect, { bodyBinding: 'signed-sha256', ownerAcl: false });
    assert.deepEqual(readdirSync(join(directory, 'var', 'deep')), ['s3-profile.json']);
  });

  test('that cannot be put in its place leaves no draft either', async () => {
    const path = join(directory, 'taken');
    await writeProfile(join(path, 'inside.json'), certificate);
    await assert.rejects(writeProfile(path, certificate), { code: 'invalid_path', message: /is a directory/ });
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.startsWith('taken')),
      ['taken'],
    );
  });

  test('that is not there is none', async () => {
    assert.equal(await readProfile(join(directory, 'absent.json')), undefined);
  });

  test('that is something else is named', async () => {
    const path = join(directory, 'wrong.json');
    const { store, dialect } = certificate;
    for (const [text, message] of [
      ['{', /it is not JSON/],
      ['null', /store\.endpoint or store\.bucket is missing/],
      [JSON.stringify({ store: { ...store, bucket: 1 }, dialect }), /store\.endpoint or store\.bucket is missing/],
      [JSON.stringify({ store, dialect: { ...dialect, bodyBinding: 'none' } }), /dialect\.bodyBinding/],
      [JSON.stringify({ store, dialect: { ...dialect, ownerAcl: 'yes' } }), /dialect\.ownerAcl/],
    ] as const) {
      writeFileSync(path, text);
      await assert.rejects(readProfile(path), (error: Error & { readonly code?: string; readonly field?: string }) => {
        assert.equal(error.code, 'invalid_configuration');
        assert.equal(error.field, 'ARTIFACTSTORE_S3_PROFILE_PATH');
        assert.ok(error.message.includes(path), error.message);
        assert.match(error.message, message);
        return true;
      });
    }
    await assert.rejects(readProfile(directory), { code: 'invalid_configuration' });
  });
});
