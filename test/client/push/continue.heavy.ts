import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { globSync, statSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { finished, openWorkplace, type RunningServer, type Workplace } from '../../cli/workplace.ts';

const mebibyte = 1_048_576;
const size = 200 * mebibyte;
const authorization = 'Bearer cli-test-token';

describe('a large file, when somebody is killed in the middle', () => {
  let place: Workplace;
  let server: RunningServer;
  let bytes: Buffer;
  before(async () => {
    place = openWorkplace();
    server = await place.serve('serve', '--port', '0');
    bytes = randomBytes(size);
    place.write({ 'tree/large': bytes });
  });
  after(() => place[Symbol.dispose]());

  /** Waits until the largest draft of an upload has so many bytes. */
  async function drafted(count: number): Promise<void> {
    const sizes = (): number[] =>
      globSync('**/upload-*', { cwd: place.directory }).map((path) => statSync(place.path(path), { throwIfNoEntry: false })?.size ?? 0);
    while (Math.max(0, ...sizes()) < count) await sleep(20);
  }

  async function restart(): Promise<void> {
    await server.signal('SIGKILL');
    server = await place.serve('serve', '--port', String(server.port));
  }

  interface Pushed {
    readonly package_id: string;
    readonly uploaded_bytes: number;
  }

  test('a push goes through a kill of the server', async () => {
    const pushing = finished(place.start('push', 'tree', '--json'));
    await drafted(100 * mebibyte);
    await restart();
    const { code, stdout, stderr } = await pushing;
    assert.equal(code, 0, stderr);
    const { package_id } = JSON.parse(stdout) as Pushed;
    assert.equal((await place.run('verify', package_id, 'tree')).code, 0);
  });

  test('a push that is killed is continued by the same command', async () => {
    bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0);
    place.write({ 'tree/large': bytes });
    const child = place.start('push', 'tree', '--json');
    const ended = finished(child);
    await drafted(100 * mebibyte);
    child.kill('SIGKILL');
    await ended;
    const { package_id, uploaded_bytes } = await place.json<Pushed>('push', 'tree');
    assert.ok(uploaded_bytes > 0 && uploaded_bytes <= size - 90 * mebibyte, `${uploaded_bytes}`);
    assert.equal((await place.run('verify', package_id, 'tree')).code, 0);
  });

  test('a PUT that was told its upload is continued after a kill of the server', async () => {
    bytes.writeUInt8(bytes.readUInt8(0) ^ 3, 0);
    const opened = await fetch(`${server.url}/packages`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: '{"name":"n","producer":"cli","subject":"s","retention_class":"transient"}',
    });
    const { id } = (await opened.json()) as { readonly id: string };
    const putting: ClientRequest = request(`${server.url}/packages/${id}/files/large`, {
      method: 'PUT',
      headers: { authorization, 'content-length': size, 'upload-complete': '?1', 'upload-draft-interop-version': '8' },
    });
    putting.on('error', () => undefined);
    putting.flushHeaders();
    const [told] = (await once(putting, 'information')) as [IncomingMessage];
    assert.equal(told.statusCode, 104);
    const where = `${server.url}${told.headers.location}`;
    for (let offset = 0; offset < 150 * mebibyte; offset += mebibyte)
      if (!putting.write(bytes.subarray(offset, offset + mebibyte))) await once(putting, 'drain');
    await drafted(140 * mebibyte);
    await restart();
    const asked = await fetch(where, { method: 'HEAD', headers: { authorization } });
    const offset = Number(asked.headers.get('upload-offset'));
    // All but the last stretch that was not made durable yet.
    assert.ok(offset >= 64 * mebibyte && offset <= 150 * mebibyte, `${offset}`);
    const answer = await fetch(where, {
      method: 'PATCH',
      headers: {
        authorization,
        'content-type': 'application/partial-upload',
        'upload-offset': String(offset),
        'upload-complete': '?1',
        'repr-digest': `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`,
      },
      body: bytes.subarray(offset),
    });
    assert.equal(answer.status, 201, await answer.clone().text());
    assert.equal(((await answer.json()) as { readonly size_bytes: number }).size_bytes, size);
  });
});
