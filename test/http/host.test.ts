import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Door, openDoor } from '../doors/rest/open-door.ts';

test('a request says once to which host it goes', async () => {
  await using door = await openDoor();
  for (const [hosts, fault] of [
    ['', 'The Host header is missing.'],
    ['host: a\r\nhost: b\r\n', 'There is more than one Host header.'],
    ['host: a\r\nHOST: a\r\n', 'There is more than one Host header.'],
  ] as const)
    for (const path of ['/livez', '/nowhere']) {
      // Until the server closes the connection.
      const answer = await door.raw(`GET ${path} HTTP/1.1\r\n${hosts}\r\n`);
      assert.match(answer, /^HTTP\/1\.1 400 /);
      const { code, field, detail, request_id } = JSON.parse(answer.slice(answer.indexOf('{'))) as Record<string, string>;
      assert.deepEqual([code, field, detail], ['invalid_header', 'host', fault]);
      assert.ok(door.lines.some((line) => line.includes(request_id!)));
    }
  assert.match(await door.raw('GET /livez HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
});

test('a server of its own machine is not taken for the host of a page', async () => {
  const askedAs = async (door: Door, host: string) => {
    const answer = await door.raw(`GET /health HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    return { status: Number(answer.slice(9, 12)), answer };
  };
  const own = ['localhost', 'LOCALHOST:8000', 'a.localhost', '127.0.0.1:80', '127.8.8.8', '[::1]:8000'];
  const foreign = ['evil.example', 'evil.example:8000', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1', 'x@y', ''];
  const allowedHosts = ['artifacts.example.org', '10.0.0.1'];
  for (const [options, taken, refused] of [
    [{ allowedHosts: [] }, own, foreign],
    [{ allowedHosts }, [...own, 'Artifacts.Example.ORG:443', '10.0.0.1'], ['evil.example', 'x.artifacts.example.org', '']],
    [{ allowedHosts: ['*'] }, [...own, ...foreign], []],
    [{ allowedHosts: [], host: '0.0.0.0' }, [...own, ...foreign], []],
    [{ host: '0.0.0.0', allowedHosts }, [...own, 'artifacts.example.org'], ['evil.example']],
  ] as const) {
    await using door = await openDoor(options);
    for (const host of taken) assert.equal((await askedAs(door, host)).status, 200, host);
    for (const host of refused) {
      const { status, answer } = await askedAs(door, host);
      assert.equal(status, 403, host);
      assert.match(answer, /ARTIFACTSTORE_ALLOWED_HOSTS/);
    }
  }
});
