import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { globSync, statSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../cli/answering.ts';
import { type Finished, finished, openWorkplace, type RunningServer, type Workplace } from '../../cli/workplace.ts';

const mebibyte = 1_048_576;
const size = 200 * mebibyte;
const authorization = 'Bearer cli-test-token';

describe('a large file, when somebody is killed in the middle', () => {
  let place: Workplace;
  let server: RunningServer;
  let bytes: Buffer;
  let contents = 1;
  before(async () => {
    place = openWorkplace();
    server = await place.serve('serve', '--port', String(await freePort()));
    bytes = randomBytes(size);
  });
  after(() => place[Symbol.dispose]());

  const drafts = (): readonly string[] => globSync('**/upload-*', { cwd: place.directory });

  /** Waits until a draft of an upload has so many bytes; false where `pushing` ends before. */
  async function drafted(count: number, pushing?: Promise<unknown>, earlier: readonly string[] = []): Promise<boolean> {
    const sizes = (): number[] =>
      drafts()
        .filter((path) => !earlier.includes(path))
        .map((path) => statSync(place.path(path), { throwIfNoEntry: false })?.size ?? 0);
    const over = pushing?.then(() => true);
    while (Math.max(0, ...sizes()) < count) {
      const looked = sleep(20, false);
      if (await (over === undefined ? looked : Promise.race([over, looked]))) return false;
    }
    return true;
  }

  /** A push of which the server has half. On a busy machine one may be through before that is seen. */
  async function halfPushed(): Promise<{ readonly child: ChildProcess; readonly pushing: Promise<Finished> }> {
    for (let attempt = 0; attempt < 5; attempt++) {
      bytes.writeUInt32LE(contents++, 0);
      place.write({ 'tree/large': bytes });
      const earlier = drafts();
      const child = place.start('push', 'tree', '--json');
      const pushing = finished(child);
      if (await drafted(100 * mebibyte, pushing, earlier)) return { child, pushing };
    }
    return assert.fail('every push was through before it was seen');
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
    const { pushing } = await halfPushed();
    await restart();
    const { code, stdout, stderr } = await pushing;
    assert.equal(code, 0, stderr);
    const { package_id } = JSON.parse(stdout) as Pushed;
    assert.equal((await place.run('verify', package_id, 'tree')).code, 0);
  });

  test('a push that is killed is continued by the same command', async () => {
    let uploaded = 0;
    // Where the server had all of it nothing was left to be sent.
    for (let attempt = 0; attempt < 5 && uploaded === 0; attempt++) {
      const { child, pushing } = await halfPushed();
      child.kill('SIGKILL');
      await pushing;
      const { package_id, uploaded_bytes } = await place.json<Pushed>('push', 'tree');
      assert.equal((await place.run('verify', package_id, 'tree')).code, 0);
      uploaded = uploaded_bytes;
    }
    assert.ok(uploaded > 0 && uploaded <= size - 90 * mebibyte, `${uploaded}`);
  });

  test('a PUT that was told its upload is continued after a kill of the server', async () => {
    bytes.writeUInt32LE(contents++, 0);
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
