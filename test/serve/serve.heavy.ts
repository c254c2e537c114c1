import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { answering, freePort } from '../cli/answering.ts';
import { openWorkplace } from '../cli/workplace.ts';

test('a server whose log nobody reads any more serves, counts what it could not log, and ends when asked', async () => {
  using place = openWorkplace({ ARTIFACTSTORE_LOG_LEVEL: 'DEBUG' });
  const path = place.path('log');
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
  // Both ends are held here, and nobody reads.
  const log = openSync(path, constants.O_RDWR);
  const port = await freePort();
  const child = place.startInto(log, {}, 'serve', '--port', String(port));
  const url = await answering(port);
  // More than the pipe and the memory of the log take.
  for (let round = 0; round < 60; round += 1)
    await Promise.all(Array.from({ length: 20 }, () => fetch(`${url}/${'x'.repeat(8_000)}`).then((answer) => answer.text())));
  const metrics = await (await fetch(`${url}/metrics`, { headers: { authorization: 'Bearer cli-test-token' } })).text();
  assert.ok(Number(/^artifactstore_log_lines_dropped_total (\d+)$/m.exec(metrics)?.[1]) > 0, metrics);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
  closeSync(log);
});

test('workers that die at their start, again and again, end the whole with the reason', async () => {
  using place = openWorkplace();
  const server = await place.serve('serve', '--port', '0', '--workers', '2');
  let stderr = '';
  server.process.stderr!.on('data', (chunk: Uint8Array) => {
    stderr += chunk.toString();
  });
  // Read by every process at its start, so by those that are started again.
  place.write({ '.env': 'ARTIFACTSTORE_SHUTDOWN_GRACE_SECONDS=never\n' });
  const ended = once(server.process, 'close');
  for (const worker of workersOf(server.process.pid!)) process.kill(worker, 'SIGKILL');
  assert.deepEqual(await ended, [2, null]);
  assert.equal(stderr.match(/ARTIFACTSTORE_SHUTDOWN_GRACE_SECONDS: .*never/g)?.length, 1, stderr);
});

test('a second signal ends the first process and its workers at once, whatever is under way', async () => {
  using place = openWorkplace();
  const server = await place.serve('serve', '--port', '0', '--workers', '2');
  const headers = { authorization: 'Bearer cli-test-token', 'content-type': 'application/json' };
  const body = JSON.stringify({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
  const { id } = (await (await fetch(`${server.url}/packages`, { method: 'POST', headers, body })).json()) as { readonly id: string };
  const socket = connect({ port: server.port, host: '127.0.0.1' }).on('error', () => undefined);
  const wanted = `authorization: ${headers.authorization}\r\nexpect: 100-continue\r\ncontent-length: 10`;
  socket.write(`PUT /packages/${id}/files/slow HTTP/1.1\r\nhost: localhost\r\n${wanted}\r\n\r\n`);
  await once(socket, 'data');
  const workers = workersOf(server.process.pid!);
  const ended = once(server.process, 'exit');
  const cut = once(socket, 'close');
  server.process.kill('SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(server.process.exitCode, null, 'the upload under way has its time');
  server.process.kill('SIGTERM');
  assert.deepEqual(await ended, [130, null]);
  await cut;
  // One that nobody has asked for its end yet is shown as Z.
  for (const worker of workers)
    for (let tries = 0; /^[^Z]/.test(spawnSync('ps', ['-o', 'stat=', '-p', String(worker)], { encoding: 'utf8' }).stdout); tries += 1)
      assert.ok(tries < 1_000, 'a worker lives on');
});

function workersOf(pid: number): readonly number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return stdout.trim().split(/\s+/).map(Number);
}
