import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { test } from 'node:test';
import { answering, freePort } from './answering.ts';
import { openWorkplace } from './workplace.ts';

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
  const ended = once(server.process, 'exit');
  for (const worker of workersOf(server.process.pid!)) process.kill(worker, 'SIGKILL');
  assert.deepEqual(await ended, [2, null]);
  assert.equal(stderr.match(/ARTIFACTSTORE_SHUTDOWN_GRACE_SECONDS: .*never/g)?.length, 1, stderr);
});

function workersOf(pid: number): readonly number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return stdout.trim().split(/\s+/).map(Number);
}
