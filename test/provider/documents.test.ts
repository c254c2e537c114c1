import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { type Generation, readGeneration, signingKeys, writeGeneration } from '../../src/provider/documents.ts';
import { secretOf } from '../../src/secrets/secret.ts';

test('a generation is read as it was written, session tokens too, and prints nothing of its keys', () => {
  const generation: Generation = {
    generation: 3,
    provider: 'aws-iam',
    account: '123456789012',
    bucket: 'artifacts',
    prefix: 'a/b',
    madeAt: '2026-01-02T03:04:05.000Z',
    keys: {
      admin: { id: 'a', accessKeyId: 'A', secretAccessKey: secretOf('hush-a'), expiresAtMilliseconds: undefined },
      proxy: {
        ...{ id: 'p', accessKeyId: 'P', secretAccessKey: secretOf('hush-p'), sessionToken: secretOf('hush-t') },
        expiresAtMilliseconds: Date.UTC(2026, 0, 3),
      },
    },
  };
  const read = readGeneration(writeGeneration(generation), 3);
  assert.ok(read !== 'ended');
  assert.deepEqual({ ...read, keys: undefined }, { ...generation, keys: undefined });
  assert.deepEqual(signingKeys(read.keys.admin), { accessKeyId: 'A', secretAccessKey: 'hush-a' });
  assert.deepEqual(signingKeys(read.keys.proxy), { accessKeyId: 'P', secretAccessKey: 'hush-p', sessionToken: 'hush-t' });
  assert.equal(read.keys.proxy.expiresAtMilliseconds, Date.UTC(2026, 0, 3));
  assert.equal(inspect(read, { depth: 9, showHidden: true }).includes('hush'), false);
});
