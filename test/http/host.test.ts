import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDoor } from './open-door.ts';

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
