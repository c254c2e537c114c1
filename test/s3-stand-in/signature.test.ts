import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { crc32 } from 'node:zlib';
import { hmac, sha256 } from './signature.ts';
import { answerOf, type RawRequest, sendRaw, startRaw } from './signed-request.ts';
import { openStrictStore } from './strict-store.ts';

const put: RawRequest = { method: 'PUT', path: '/artifacts/key', body: 'bytes' };
const hour = 3_600_000;

test('a request that is signed as it should be is let in, whatever its key', async () => {
  await using store = await openStrictStore();
  for (const key of ['plain', 'a%2Bb%25%20c', '%0Anew', '%C3%A9/%F0%9F%98%80', 'tilde~-._', 'it%27s%20%28all%29%2A%21']) {
    const answer = await sendRaw(store, { ...put, path: `/artifacts/${key}` });
    assert.equal(answer.status, 200, answer.body);
    assert.ok(store.objects('artifacts').includes(decodeURIComponent(key)));
  }
});

test('a request is refused for what is wrong with its signature, and nothing is stored', async () => {
  await using store = await openStrictStore({ region: 'eu-north-1' });
  const wrong: readonly (readonly [RawRequest, number, string])[] = [
    [{ ...put, accessKeyId: 'AKIANOBODY' }, 403, 'InvalidAccessKeyId'],
    [{ ...put, secretAccessKey: 'another' }, 403, 'SignatureDoesNotMatch'],
    [{ ...put, region: 'us-east-1' }, 400, 'AuthorizationHeaderMalformed'],
    [{ ...put, region: 'us-east-1', expires: 60 }, 400, 'AuthorizationQueryParametersError'],
    [{ ...put, date: new Date(Date.now() - hour) }, 403, 'RequestTimeTooSkewed'],
    [{ ...put, date: new Date(Date.now() + hour) }, 403, 'RequestTimeTooSkewed'],
    [{ ...put, date: new Date(Date.now() + hour), expires: 60 }, 403, 'AccessDenied'],
    [{ ...put, date: new Date(Date.now() - hour), expires: 60 }, 403, 'AccessDenied'],
    [{ ...put, expires: 604_801 }, 400, 'AuthorizationQueryParametersError'],
    [{ ...put, payload: sha256('other') }, 400, 'XAmzContentSHA256Mismatch'],
    [{ ...put, payload: 'none' }, 400, 'InvalidArgument'],
    [{ ...put, loose: { 'x-amz-meta-a': 'b' } }, 403, 'AccessDenied'],
    [{ ...put, loose: { 'x-amz-meta-a': 'b' }, expires: 60 }, 403, 'AccessDenied'],
    [{ ...put, headers: { 'x-amz-security-token': 'unasked' } }, 400, 'InvalidToken'],
    [{ ...put, path: '/artifacts/%ff' }, 400, 'InvalidURI'],
    [{ ...put, path: `/artifacts/${'k'.repeat(1025)}` }, 400, 'KeyTooLongError'],
  ];
  for (const [request, status, code] of wrong) {
    const answer = await sendRaw(store, request);
    assert.deepEqual([answer.status, answer.code], [status, code], answer.body);
  }
  const region = await sendRaw(store, { ...put, region: 'us-east-1' });
  assert.match(region.body, /<Region>eu-north-1<\/Region>/);
  assert.match(region.body, /<Resource>\/artifacts\/key<\/Resource><RequestId>\w+<\/RequestId>/);
  assert.equal(
    (await sendRaw(store, { ...put, path: '/artifacts/denied', secretAccessKey: 'another' })).headers['x-amz-request-id']?.length,
    16,
  );
  assert.deepEqual(store.objects('artifacts'), []);
});

test('a signature in the query binds the method, the path, the query and its headers, and no body', async () => {
  await using store = await openStrictStore();
  const presigned = startRaw(store, { ...put, expires: 60, headers: { 'content-type': 'a/b' } }).request;
  presigned.destroy();
  presigned.on('error', () => {});
  const url = store.url + presigned.path;
  const type = { 'content-type': 'a/b' };
  assert.equal((await fetch(url, { method: 'PUT', body: 'any', headers: type })).status, 200);
  assert.equal((await fetch(url, { method: 'PUT', body: 'any', headers: { 'content-type': 'c/d' } })).status, 403);
  assert.equal((await fetch(url, { headers: type })).status, 403);
  assert.equal((await fetch(url.replace('/key', '/kez'), { method: 'PUT', headers: type })).status, 403);
  assert.equal((await fetch(`${url}&versionId=1`, { method: 'PUT', headers: type })).status, 403);
  assert.equal((await fetch(`${store.url}/artifacts/key`)).status, 403, 'anonymous');
});

test('a temporary key needs its token, reaches what it was made for, and ends', async () => {
  let now = Date.now();
  const temporary = { accessKeyId: 'ASIATEMPORARY', secretAccessKey: 'secret', sessionToken: 'the-token' };
  const grant = { ...temporary, expiresAt: new Date(now + 60_000), buckets: ['artifacts'], keyPrefix: 'mine/' };
  await using store = await openStrictStore({
    buckets: ['artifacts', 'other'],
    foreignBuckets: ['theirs'],
    sessionTokens: [grant],
    clock: () => now,
  });
  const { accessKeyId, secretAccessKey } = temporary;
  const signed = (path: string, token?: string): RawRequest => {
    const headers = token === undefined ? {} : { 'x-amz-security-token': token };
    return { ...put, path, accessKeyId, secretAccessKey, headers, date: new Date(now) };
  };
  const code = async (request: RawRequest): Promise<number | string> => {
    const answer = await sendRaw(store, request);
    return answer.code ?? answer.status;
  };
  assert.equal(await code(signed('/artifacts/mine/a', 'the-token')), 200);
  assert.equal(await code(signed('/artifacts/mine/a')), 'InvalidAccessKeyId');
  assert.equal(await code(signed('/artifacts/mine/a', 'another')), 'InvalidToken');
  assert.equal(await code(signed('/artifacts/yours/a', 'the-token')), 'AccessDenied');
  assert.equal(await code(signed('/other/mine/a', 'the-token')), 'AccessDenied');
  assert.equal(await code({ ...put, path: '/theirs/a' }), 'AccessDenied', 'nor does the main key reach a foreign bucket');
  now += 61_000;
  assert.equal(await code(signed('/artifacts/mine/a', 'the-token')), 'ExpiredToken');
  store.admit({ ...temporary, accessKeyId: 'ASIANEXT', sessionToken: 'next' });
  assert.equal(await code({ ...signed('/artifacts/mine/a', 'next'), accessKeyId: 'ASIANEXT' }), 200);
  store.revoke('ASIANEXT');
  assert.equal(await code({ ...signed('/artifacts/mine/a', 'next'), accessKeyId: 'ASIANEXT' }), 'InvalidAccessKeyId');
});

test('aws-chunked bodies are taken apart; their signatures, lengths and trailers are checked', async () => {
  await using store = await openStrictStore();
  const good = Buffer.from(crc32('abcdef').toString(16).padStart(8, '0'), 'hex').toString('base64');
  const bad = Buffer.from('zzzz').toString('base64');
  const unsigned = (sum: string, length = '6'): RawRequest => ({
    ...put,
    headers: { 'x-amz-decoded-content-length': length, 'x-amz-trailer': 'x-amz-checksum-crc32', 'content-encoding': 'aws-chunked,gzip' },
    payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    body: `3\r\nabc\r\n3\r\ndef\r\n0\r\nx-amz-checksum-crc32:${sum}\r\n\r\n`,
  });
  const outcome = async (request: RawRequest): Promise<string | number> => {
    const answer = await sendRaw(store, request);
    return answer.code ?? answer.status;
  };
  assert.equal(await outcome(unsigned(bad)), 'BadDigest');
  assert.equal(await outcome(unsigned(good, '7')), 'IncompleteBody');
  assert.equal(await outcome({ ...unsigned(good), body: '3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n' }), 'MalformedTrailerError');
  assert.equal(await outcome({ ...unsigned(good), body: '3\r\nabc\r\n3\r\nde' }), 'IncompleteBody');
  assert.deepEqual(store.objects('artifacts'), []);
  assert.equal(await outcome(unsigned(good)), 200);
  assert.equal(store.object('artifacts', 'key')?.body.toString(), 'abcdef');
  assert.equal(store.object('artifacts', 'key')?.headers['content-encoding'], 'gzip');

  const chunks = (flip: 'chunk' | 'trailer' | 'none'): RawRequest => ({
    method: 'PUT',
    path: '/artifacts/signed',
    headers: { 'x-amz-decoded-content-length': '6', 'x-amz-trailer': 'x-amz-checksum-crc32' },
    payload: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    bodyFor({ key, date, scope, signature }) {
      let previous = signature;
      const next = (kind: string, ...hashes: string[]): string => {
        previous = hmac(key, [kind, date, scope, previous, ...hashes].join('\n')).toString('hex');
        return previous;
      };
      const parts = ['abc', 'def', ''].map((data) => {
        const line = `${data.length.toString(16)};chunk-signature=${next('AWS4-HMAC-SHA256-PAYLOAD', sha256(''), sha256(data))}\r\n`;
        return data === '' ? line : `${line}${flip === 'chunk' ? data.toUpperCase() : data}\r\n`;
      });
      const trailer = next('AWS4-HMAC-SHA256-TRAILER', sha256(`x-amz-checksum-crc32:${good}\n`));
      const sent = flip === 'trailer' ? trailer.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) : trailer;
      return Buffer.from(`${parts.join('')}x-amz-checksum-crc32:${good}\r\nx-amz-trailer-signature:${sent}\r\n\r\n`);
    },
  });
  assert.equal(await outcome(chunks('chunk')), 'SignatureDoesNotMatch');
  assert.equal(await outcome(chunks('trailer')), 'SignatureDoesNotMatch');
  assert.equal(await outcome(chunks('none')), 200);
  assert.equal(store.object('artifacts', 'signed')?.etag, createHash('md5').update('abcdef').digest('hex'));
});

test('a body must have a length and come whole', async () => {
  await using store = await openStrictStore();
  const none = startRaw(store, { method: 'PUT', path: '/artifacts/key' });
  none.request.removeHeader('transfer-encoding');
  none.request.useChunkedEncodingByDefault = false;
  const refused = answerOf(none.request);
  none.request.end();
  assert.deepEqual([(await refused).status, (await refused).code], [411, 'MissingContentLength']);
  assert.equal((await sendRaw(store, { ...put, loose: { 'transfer-encoding': 'chunked' } })).status, 501);

  const cut = startRaw(store, { ...put, loose: { 'content-length': '10' } });
  const answer = answerOf(cut.request);
  cut.request.write('bytes');
  while (store.requests.PutObject !== 3) await new Promise(setImmediate);
  cut.request.destroy();
  await assert.rejects(answer);
  assert.equal((await sendRaw(store, { path: '/artifacts/key' })).code, 'NoSuchKey');
});

test('a refusal reaches a client that is still sending', async () => {
  await using store = await openStrictStore();
  for (let round = 0; round < 5; round += 1) {
    const answer = await sendRaw(store, {
      ...put,
      body: Buffer.alloc(16 * 1024 ** 2),
      payload: 'UNSIGNED-PAYLOAD',
      secretAccessKey: 'another',
    });
    assert.equal(answer.code, 'SignatureDoesNotMatch');
  }
});

test('Expect: 100-continue is answered when the head is good, and refused without a body when it is not', async () => {
  await using store = await openStrictStore();
  const good = startRaw(store, { ...put, loose: { expect: '100-continue' } });
  good.request.on('continue', () => good.request.end(good.body));
  good.request.flushHeaders();
  assert.equal((await answerOf(good.request)).status, 200);

  const bad = startRaw(store, { ...put, secretAccessKey: 'another', loose: { expect: '100-continue' } });
  let continued = false;
  bad.request.on('continue', () => {
    continued = true;
  });
  bad.request.flushHeaders();
  assert.equal((await answerOf(bad.request)).status, 403);
  assert.equal(continued, false);
  bad.request.destroy();
});
