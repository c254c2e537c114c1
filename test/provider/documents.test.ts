import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import {
  type Generation,
  readCurrent,
  readGeneration,
  readPair,
  signingKeys,
  writeCurrent,
  writeGeneration,
} from '../../src/provider/documents.ts';
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

test('what is no document of this software, or of another generation, is refused without anything of it', () => {
  const keys = { id: 'i', access_key_id: 'A', secret_access_key: 'hush-key' };
  const whole = {
    format: 1,
    generation: 3,
    provider: 'static',
    account: 'a',
    bucket: 'b',
    prefix: '',
    made_at: 'now',
    admin: keys,
    proxy: keys,
  };
  assert.notEqual(readGeneration(secretOf(JSON.stringify(whole)), 3), 'ended');
  const generation = (change: object) => () => readGeneration(secretOf(JSON.stringify({ ...whole, ...change })), 3);
  const token = { slot: 'a', subject: 's', value: 'hush-value' };
  const wholePair = { format: 1, provider: 'static', account: 'a', tokens: [token, { ...token, slot: 'b' }] };
  assert.equal(readPair(secretOf(JSON.stringify(wholePair))).tokens.length, 2);
  const pair = (change: object) => () => readPair(secretOf(JSON.stringify({ ...wholePair, ...change })));
  for (const read of [
    generation({ format: 2 }),
    generation({ format: undefined }),
    generation({ generation: 4 }),
    generation({ generation: 4, ended_at: 'now' }),
    generation({ provider: 'hush-provider' }),
    generation({ admin: undefined }),
    generation({ proxy: { ...keys, secret_access_key: '' } }),
    () => readGeneration(secretOf('{"format":1,"hush'), 3),
    () => readGeneration(secretOf('["hush"]'), 3),
    ...['hush', '{"format":1,"value":hush}', '{"hush":1,"hush":2}'].map((text) => () => readGeneration(secretOf(text), 3)),
    ...[null, '', 7].flatMap((wrong) => [
      ...['account', 'bucket', 'made_at'].map((key) => generation({ [key]: wrong })),
      ...Object.keys(keys).map((key) => generation({ admin: { ...keys, [key]: wrong } })),
      generation({ admin: { ...keys, session_token: wrong } }),
      ...['provider', 'account', 'provider_url', 'tokens'].map((key) => pair({ [key]: wrong })),
      ...['slot', 'subject', 'value'].map((key) => pair({ tokens: [{ ...token, [key]: wrong }, token] })),
    ]),
    ...['null', '7', '"hush"'].map((text) => () => readCurrent(secretOf(text))),
    pair({ tokens: [] }),
    ...['', 7, null, 'hush', '0BADCAFE', '0badcafe0'].map((storeId) => pair({ store_id: storeId })),
    pair({ tokens: [token, token, token] }),
    pair({ tokens: [token, null] }),
    pair({ tokens: { length: 2 } }),
    ...['0', '-1', '1.5', '"1"', 'null'].flatMap((number) => [
      () => readCurrent(secretOf(`{"format":1,"generation":${number}}`)),
      () => readCurrent(secretOf(`{"format":1,"generation":${number},"withdrawn":[2]}`)),
      () => readCurrent(secretOf(`{"format":1,"generation":1,"withdrawn":[${number}]}`)),
    ]),
    ...['', ',"withdrawn":[]', ',"withdrawn":2'].map((more) => () => readCurrent(secretOf(`{"format":1${more}}`))),
  ])
    assert.throws(read, (error) => {
      assert.ok(isArtifactstoreError(error, 'secret_unusable'), String(error));
      return !inspect(error, { depth: 9, showHidden: true })
        .replace(/^\s+at .*$/gm, '')
        .includes('hush');
    });
});

test('a generation of a whole bucket has an empty prefix, and an end that is no date is none', () => {
  const keys = { id: 'i', access_key_id: 'A', secret_access_key: 'hush', expires_at: 'soon' };
  const facts = { format: 1, generation: 1, provider: 'static', account: 'a', bucket: 'b', made_at: 'now', admin: keys, proxy: keys };
  const read = readGeneration(secretOf(JSON.stringify(facts)), 1);
  assert.ok(read !== 'ended');
  assert.deepEqual([read.prefix, read.keys.admin.expiresAtMilliseconds], ['', undefined]);
});

test('the pointer says where servers are pointed to, and where they never will be', () => {
  for (const pointer of [
    { generation: 1, withdrawn: [] },
    { generation: 1, withdrawn: [2, 4] },
    { generation: undefined, withdrawn: [1] },
  ])
    assert.deepEqual(readCurrent(writeCurrent(pointer)), pointer);
  assert.equal(writeCurrent({ generation: 1, withdrawn: [] }).reveal(), '{"format":1,"generation":1}');
});
