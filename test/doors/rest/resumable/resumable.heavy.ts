import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorization } from '../open-door.ts';
import { door, id } from '../upload-door.ts';

test('a client that understands 104 is told of a long body how much is durable, and others are not', async () => {
  const bytes = 150 * 1_048_576;
  for (const version of ['8', '7']) {
    const socket = await door.connect();
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    const heard = (): string => text;
    socket.write(
      `PUT /packages/${id}/files/long-${version} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\nconnection: close\r\n` +
        `upload-complete: ?0\r\nupload-draft-interop-version: ${version}\r\ncontent-length: ${bytes}\r\n\r\n`,
    );
    const chunk = Buffer.alloc(1_048_576);
    for (let sent = 0; sent < bytes; sent += chunk.length) await new Promise((resolve) => socket.write(chunk, resolve));
    while (!/^HTTP\/1\.1 201 /m.test(heard())) await new Promise((resolve) => socket.once('data', resolve));
    const interim = heard()
      .split(/(?=^HTTP\/1\.1 104 )/m)
      .filter((answer) => answer.startsWith('HTTP/1.1 104'));
    if (version === '7') {
      assert.deepEqual(interim, []);
      continue;
    }
    const [first, ...progress] = interim;
    assert.match(first!, /location: /);
    assert.ok(progress.length >= 2);
    let before = 0;
    for (const answer of progress) {
      const head = answer.slice(0, answer.indexOf('\r\n\r\n'));
      assert.doesNotMatch(head, /location/i);
      assert.match(head, /upload-draft-interop-version: 8/);
      const offset = Number(/upload-offset: (\d+)/.exec(head)![1]);
      assert.ok(offset > before && offset <= bytes);
      before = offset;
    }
  }
});
