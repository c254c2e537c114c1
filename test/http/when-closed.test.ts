import assert from 'node:assert/strict';
import { createServer, get, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { whenClosed } from '../../src/http/when-closed.ts';

test('does all of it in order, behind one listener, when an answer is finished or lost, and at once after that', async () => {
  for (const isLost of [false, true]) {
    const done: string[] = [];
    const { promise: closed, resolve } = Promise.withResolvers<ServerResponse>();
    const server = createServer((_request, response) => {
      const before = response.listenerCount('close');
      for (const name of ['first', 'second', 'third']) whenClosed(response, () => done.push(name));
      assert.equal(response.listenerCount('close'), before + 1);
      whenClosed(response, () => {
        // What is given meanwhile is not forgotten either.
        whenClosed(response, () => done.push('fourth'));
        resolve(response);
      });
      if (isLost) response.destroy();
      else response.end('answer');
      assert.deepEqual(done, []);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    get({ port, host: '127.0.0.1', agent: false }, (answer) => answer.resume()).on('error', () => undefined);
    const response = await closed;
    whenClosed(response, () => done.push('late'));
    assert.deepEqual(done, ['first', 'second', 'third', 'fourth', 'late']);
    await new Promise((ended) => server.close(ended));
  }
});
