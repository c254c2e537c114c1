import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { answering, freePort } from '../cli/answering.ts';
import { openWorkplace, type Workplace } from '../cli/workplace.ts';

const authorization = 'authorization: Bearer cli-test-token';

describe('serve, as a process', () => {
  let place: Workplace;
  before(() => {
    place = openWorkplace({ ARTIFACTSTORE_SHUTDOWN_GRACE_SECONDS: '1' });
  });
  after(() => place[Symbol.dispose]());

  test('workers whose log has no room serve, and end with a signal to the first process alone, whoever is connected', async () => {
    const log = openSync('/dev/full', 'w');
    const port = await freePort();
    const child = place.startInto(log, {}, 'serve', '--port', String(port), '--workers', '2');
    closeSync(log);
    const url = await answering(port);
    const headers = { authorization: 'Bearer cli-test-token', 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
    const { id } = (await (await fetch(`${url}/packages`, { method: 'POST', headers, body })).json()) as { readonly id: string };
    for (let dropped = 0, tries = 0; dropped < 3; tries += 1) {
      const metrics = await (await fetch(`${url}/metrics`, { headers })).text();
      dropped = Number(/^artifactstore_log_lines_dropped_total (\d+)$/m.exec(metrics)?.[1]);
      assert.ok(tries < 1_000, metrics);
    }
    for (const text of [
      '',
      '',
      `GET /events HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n${authorization}\r\n\r\n`,
      `PUT /packages/${id}/files/slow HTTP/1.1\r\nhost: localhost\r\n${authorization}\r\nexpect: 100-continue\r\ncontent-length: 10\r\n\r\n`,
    ]) {
      const socket = connect({ port, host: '127.0.0.1' }).on('error', () => undefined);
      await once(socket, 'connect');
      if (text === '') continue;
      socket.write(text);
      await once(socket, 'data');
    }
    const seconds = await secondsToEnd(child);
    assert.ok(seconds > 0.9 && seconds < 60, `${seconds} s`);
  });

  test('workers that cannot listen end the whole, with the reason said once', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { readonly port: number };
    const { code, stderr } = await place.spawned('serve', '--port', String(port), '--workers', '2');
    taken.close();
    assert.equal(code, 2);
    assert.equal(stderr.match(/something else listens there/g)?.length, 1, stderr);
  });
});

test('dev serves when nobody can see what it says', async () => {
  using place = openWorkplace();
  const full = openSync('/dev/full', 'w');
  const port = await freePort();
  const child = place.startInto(full, {}, 'dev', '--port', String(port));
  closeSync(full);
  let stderr = '';
  child.stderr!.on('data', (chunk: Uint8Array) => {
    stderr += chunk.toString();
  });
  await answering(port);
  const ended = once(child, 'close');
  child.kill('SIGTERM');
  // 1: what it had to say is lost.
  assert.deepEqual(await ended, [1, null]);
  assert.doesNotMatch(stderr, /\n\s+at /);
});

async function secondsToEnd(child: ChildProcess): Promise<number> {
  const begin = performance.now();
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
  return (performance.now() - begin) / 1000;
}
