import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { blake3 } from '../../../src/kernel/content/digest.ts';
import { assertProblem } from './open-door.ts';
import { changesNothing, door, head, id, put, sha256 } from './upload-door.ts';

test('a digest that is stated is checked', async () => {
  const right = {
    'sha-256': sha256('hello'),
    'sha-512': createHash('sha512').update('hello').digest('base64'),
    blake3: Buffer.from(blake3(Buffer.from('hello'))).toString('base64'),
  };
  for (const [algorithm, digest] of Object.entries(right))
    for (const field of ['content-digest', 'repr-digest'])
      assert.equal((await put(`good-${algorithm}-${field}`, 'hello', { [field]: `md5=:AAAA:, ${algorithm}=:${digest}:` })).status, 201);
  await changesNothing(async () => {
    for (const [algorithm, digest] of Object.entries(right)) {
      const wrong = Buffer.from(digest, 'base64').fill(1, 0, 1).toString('base64');
      await assertProblem(await put('bad', 'hello', { 'repr-digest': `${algorithm}=:${wrong}:` }), 400, 'digest_mismatch');
    }
    for (const value of ['sha-256', 'sha-256=:AAAA:', `sha-256=${right['sha-256']}`, `sha-512=:${right['sha-256']}:`, ':::'])
      for (const field of ['content-digest', 'repr-digest'])
        await assertProblem(await put('bad', 'hello', { [field]: value }), 400, 'invalid_header');
    const both = { 'content-digest': `sha-256=:${right['sha-256']}:`, 'repr-digest': `sha-256=:${sha256('other')}:` };
    await assertProblem(await put('bad', 'hello', both), 400, 'digest_mismatch');
  });
});

test('the older digest fields are checked as well, and none comes too late', async () => {
  const md5 = createHash('md5').update('hello').digest('base64');
  const sha1 = createHash('sha1').update('hello').digest('base64');
  assert.equal((await put('md5', 'hello', { 'content-md5': md5 })).status, 201);
  const all = `SHA-256=${sha256('hello')}, md5=${md5}, SHA=${sha1}, unixsum=30637`;
  assert.equal((await put('legacy', 'hello', { digest: all })).status, 201);
  await changesNothing(async () => {
    await assertProblem(await put('bad', 'other', { 'content-md5': md5 }), 400, 'digest_mismatch');
    await assertProblem(await put('bad', 'other', { digest: `sha-256=${sha256('hello')}` }), 400, 'digest_mismatch');
    await assertProblem(await put('bad', 'other', { digest: `sha=${sha1}` }), 400, 'digest_mismatch');
    await assertProblem(
      await put('bad', 'hello', { digest: `md5=${md5}`, 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' }),
      400,
      'digest_mismatch',
    );
    for (const headers of [{ 'content-md5': 'no' }, { 'content-md5': `${md5}A` }, { digest: 'sha-256' }, { digest: 'sha-256=AAAA' }])
      await assertProblem(await put('bad', 'hello', headers as Record<string, string>), 400, 'invalid_header');
    const answer = await door.raw(
      head('bad', 'transfer-encoding: chunked\r\ntrailer: Content-Digest\r\nconnection: close\r\n'),
      '0\r\n\r\n',
    );
    assert.match(answer, /"code":"invalid_header"/);
  });
});

test('If-Match and If-None-Match are about what the path holds', async () => {
  const first = await put('once', 'hello', { 'if-none-match': '*' });
  assert.equal(first.status, 201);
  const etag = `"${((await first.json()) as { content_address: string }).content_address}"`;
  await changesNothing(async () => {
    await assertProblem(await put('once', 'hello', { 'if-none-match': '*' }), 412, 'precondition_failed');
    await assertProblem(await put('once', 'hello', { 'if-none-match': `"x", ${etag}` }), 412, 'precondition_failed');
    await assertProblem(await put('once', 'hello', { 'if-match': '"x"' }), 412, 'precondition_failed');
    await assertProblem(await put('never', 'hello', { 'if-match': '*' }), 412, 'precondition_failed');
    for (const headers of [{ 'if-match': etag }, { 'if-match': '*' }, { 'if-none-match': '"x"' }])
      assert.equal((await put('once', 'hello', headers as Record<string, string>)).status, 200);
    await assertProblem(await put('once', 'other', { 'if-match': etag }), 409, 'path_conflict');
  });
  const both = await Promise.all(['race', 'race'].map((path) => put(path, 'same', { 'if-none-match': '*' })));
  assert.deepEqual(both.map(({ status }) => status).sort(), [201, 412]);
});

test('transfer codings beyond chunked, and expectations that nobody meets, are refused in words', async () => {
  await changesNothing(async () => {
    for (const framing of ['transfer-encoding: gzip, chunked\r\n', 'transfer-encoding: GZIP\r\ntransfer-encoding: chunked\r\n']) {
      const answer = await door.raw(head('coded', `${framing}connection: close\r\n`), '5\r\nhello\r\n0\r\n\r\n');
      assert.match(answer, /^HTTP\/1\.1 415 .*"code":"unsupported_media_type".*"field":"transfer-encoding"/s, framing);
    }
    const answer = await door.raw(head('hoped', 'content-length: 5\r\nexpect: nonsense\r\nconnection: close\r\n'), 'hello');
    assert.match(answer, /^HTTP\/1\.1 417 .*"code":"expectation_failed"/s);
    const latin1 = await door.call('/packages', {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=latin1' },
      body: '{}',
    });
    await assertProblem(latin1, 415, 'unsupported_media_type');
    const wrong = { 'content-type': 'application/json', 'content-digest': `sha-256=:${sha256('other')}:` };
    await assertProblem(
      await door.call(`/packages/${id}/finalize`, { method: 'POST', headers: wrong, body: '{}' }),
      400,
      'digest_mismatch',
    );
  });
});

test('annotations come in a header', async () => {
  const response = await put('script', '#!', { 'artifactstore-annotations': 'mode="executable", title=%"%c3%bc"' });
  assert.deepEqual(((await response.json()) as { annotations: object }).annotations, { mode: 'executable', title: 'ü' });
  await changesNothing(async () => {
    for (const value of ['mode', 'mode=1', 'mode="a', '"a"'])
      await assertProblem(await put('bad', 'x', { 'artifactstore-annotations': value }), 400, 'invalid_header');
  });
});

test('coded and partial bodies are refused', async () => {
  await changesNothing(async () => {
    await assertProblem(await put('bad', 'x', { 'content-encoding': 'gzip' }), 415, 'unsupported_media_type');
    await assertProblem(await put('bad', 'x', { 'content-range': 'bytes 0-0/2' }), 400, 'invalid_header');
  });
  assert.equal((await put('identity', 'x', { 'content-encoding': 'identity' })).status, 201);
});
