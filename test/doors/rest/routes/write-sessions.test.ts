import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { ErrorCode } from '../../../../src/kernel/error.ts';
import { assertProblem, type Door, openDoor } from '../open-door.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const object = (text: string, name = 'a') => ({ name, sha256: sha256(text), size_bytes: Buffer.byteLength(text) });
const named = { scope: 's', producer: 'p', subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 60 };

describe('what is wrong with a request to a write session has a code of its own', () => {
  let door: Door;
  const seen = new Map<string, ErrorCode>();
  before(async () => {
    door = await openDoor();
  });
  after(() => door[Symbol.asyncDispose]());

  const post = (body: object, headers: Record<string, string> = { 'idempotency-key': randomUUID() }) =>
    door.call('/write-sessions', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ ...named, ...body }),
    });
  async function open(text: string): Promise<string> {
    const answer = await post({ objects: [object(text)] });
    assert.equal(answer.status, 201);
    return ((await answer.json()) as { readonly id: string }).id;
  }
  const put = (id: string, body: string, name = 'a') => door.call(`/write-sessions/${id}/objects/${name}`, { method: 'PUT', body });
  const commit = (id: string) => door.call(`/write-sessions/${id}/commit`, { method: 'POST' });
  async function refused(what: string, answer: Response, status: number, code: ErrorCode): Promise<void> {
    await assertProblem(answer, status, code);
    for (const [other, taken] of seen) assert.notEqual(code, taken, `${what} and ${other}`);
    seen.set(what, code);
  }

  it('of the opening', async () => {
    const [one] = [object('one of the opening')];
    await refused('no key', await post({ objects: [one] }, {}), 400, 'idempotency_key_missing');
    await refused('a key that is none', await post({ objects: [one] }, { 'idempotency-key': 'ü' }), 400, 'invalid_header');
    await refused('no objects', await post({ objects: [] }), 422, 'write_session_empty');
    await refused('a name twice', await post({ objects: [one, one] }), 422, 'duplicate_name');
    await refused('a path that is none', await post({ objects: [{ ...one, name: '../a' }] }), 400, 'invalid_path');
    await refused('a digest that is none', await post({ objects: [{ ...one, sha256: 'no' }] }), 422, 'invalid_digest');
    await refused('a size that is none', await post({ objects: [{ ...one, size_bytes: -1 }] }), 422, 'invalid_size');
    await refused('a time that is none', await post({ objects: [one], ttl_seconds: 59 }), 422, 'invalid_ttl');
    await assertProblem(await post({ objects: [one], ttl_seconds: 604_801 }), 422, 'invalid_ttl');
    await refused('a text that is none', await post({ objects: [one], subject: '' }), 422, 'invalid_value');
    await refused('no such class', await post({ objects: [one], retention_class: 'none' }), 422, 'unknown_retention_class');
    await refused('too many bytes', await post({ objects: [{ ...one, size_bytes: 2 ** 50 }] }), 422, 'write_session_too_large');
    const many = Array.from({ length: 10_001 }, (_, index) => ({ ...one, name: `${index}` }));
    await refused('too many objects', await post({ objects: many }), 422, 'too_many_files');
    const key = { 'idempotency-key': 'taken' };
    assert.equal((await post({ objects: [one] }, key)).status, 201);
    await refused('a key of another request', await post({ objects: [one], subject: 'other' }, key), 409, 'idempotency_conflict');
  });

  it('of the bytes', async () => {
    const id = await open('right');
    await refused('other bytes', await put(id, 'wrong'), 400, 'digest_mismatch');
    await refused('too few', await put(id, 'righ'), 400, 'length_mismatch');
    await refused('too many', await put(id, 'right!'), 400, 'object_too_long');
    await refused('for no object', await put(id, 'right', 'b'), 404, 'write_session_object_not_found');
    await refused('for no session', await put(randomUUID(), 'right'), 404, 'write_session_not_found');
    await refused('a commit before them', await commit(id), 409, 'write_session_incomplete');
    assert.equal((await put(id, 'right')).status, 200);
    assert.equal((await put(id, 'right')).status, 200, 'the same bytes twice are the same object');
    await refused(
      'an upload of what is there',
      await door.json(`/write-sessions/${id}/uploads`, { name: 'a' }),
      409,
      'write_session_object_received',
    );
    const [first, second] = await Promise.all([commit(id), commit(id)]);
    assert.deepEqual([first.status, await first.json()], [second.status, await second.json()], 'two commits at once are one');
    await refused('bytes after the commit', await put(id, 'right'), 409, 'write_session_closed');
    const aborted = await open('aborted');
    assert.equal((await door.call(`/write-sessions/${aborted}`, { method: 'DELETE' })).status, 204);
    await refused('bytes after the abort', await put(aborted, 'aborted'), 410, 'write_session_aborted');
  });

  it('of pieces after the abort, whichever way they come', async () => {
    const id = await open('aborted in pieces');
    const { id: upload } = (await (await door.json(`/write-sessions/${id}/uploads`, { name: 'a' })).json()) as { readonly id: string };
    assert.equal((await door.call(`/write-sessions/${id}`, { method: 'DELETE' })).status, 204);
    const send = (method: string, headers: Readonly<Record<string, string>>) =>
      door.call(`/uploads/${upload}`, { method, headers, body: 'all' });
    const partial = { 'content-type': 'application/partial-upload', 'upload-offset': '0', 'upload-complete': '?0' };
    for (const response of [
      await send('PUT', {}),
      await send('PUT', { 'content-range': 'bytes 0-2/17' }),
      await send('PATCH', partial),
      await door.json(`/write-sessions/${id}/uploads`, { name: 'a' }),
      await commit(id),
    ])
      await assertProblem(response, 410, 'write_session_aborted');
    assert.equal((await door.call(`/uploads/${upload}`)).status, 404);
  });

  it('of pieces', async () => {
    const id = await open('in pieces');
    const begun = await door.json(`/write-sessions/${id}/uploads`, { name: 'a' });
    const { id: upload } = (await begun.json()) as { readonly id: string };
    assert.deepEqual([begun.status, begun.headers.get('location')], [201, `/uploads/${upload}`]);
    const piece = (range: string, body: string) =>
      door.call(`/uploads/${upload}`, { method: 'PUT', headers: { 'content-range': `bytes ${range}/9` }, body });
    await refused('a piece out of order', await piece('3-8', 'pieces'), 409, 'upload_offset_mismatch');
    assert.equal((await piece('0-2', 'in ')).status, 200);
    assert.equal((await door.json(`/write-sessions/${id}/uploads`, { name: 'a' })).status, 200);
    const complete = await door.json(`/uploads/${upload}/complete`, { package_id: randomUUID(), relative_path: 'a' });
    await refused('a file of it', complete, 409, 'upload_of_write_session');
    assert.equal((await piece('3-8', 'pieces')).status, 200);
    assert.equal((await commit(id)).status, 200);
  });

  it('and pieces come by tus too', async () => {
    const id = await open('by tus');
    const { id: upload } = (await (await door.json(`/write-sessions/${id}/uploads`, { name: 'a' })).json()) as { readonly id: string };
    const tus = { 'tus-resumable': '1.0.0' };
    const patch = (offset: string, body: string) => {
      const headers = { ...tus, 'content-type': 'application/offset+octet-stream', 'upload-offset': offset };
      return door.call(`/uploads/${upload}`, { method: 'PATCH', headers, body });
    };
    assert.equal((await patch('0', 'by ')).status, 204);
    const head = await door.call(`/uploads/${upload}`, { method: 'HEAD', headers: tus });
    assert.deepEqual([head.status, head.headers.get('upload-offset'), head.headers.get('upload-length')], [200, '3', '6']);
    assert.equal((await patch('3', 'tus')).status, 204);
    assert.equal((await commit(id)).status, 200);
  });
});
