import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connectStateHub } from '../../../pilot/guide-board/state-hub.ts';
import * as library from '../../../src/index.ts';

test('a page that answers in place of State Hub has taken no link', async () => {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Log in</title>');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const hub = connectStateHub(library, `http://127.0.0.1:${port}`, new AbortController().signal);
  const event = {
    event_type: 'artifact_link',
    author: 'a',
    workstream_id: null,
    task_id: null,
    summary: 's',
    detail: { manifest_digest: 'd' },
  };
  for (const send of [() => hub.has(event), () => hub.publish(event, 'key')])
    await assert.rejects(send, { code: 'unexpected_answer', field: 'STATE_HUB_URL' });
  server.closeAllConnections();
  server.close();
});
