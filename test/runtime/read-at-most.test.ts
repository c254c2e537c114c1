import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readAtMost, readAtMostSync } from '../../src/runtime/read-at-most.ts';

test('a file or a pipe is read to its end, or one byte beyond what it may have', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-read-'));
  try {
    const path = join(folder, 'file');
    writeFileSync(path, 'a'.repeat(200_000));
    assert.equal((await readAtMost(path, 200_000)).length, 200_000);
    assert.equal((await readAtMost(path, 199_999)).length, 200_000);
    assert.equal((await readAtMost(path, 9)).length, 10);
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const writer = spawn('sh', ['-c', '(printf "in two "; sleep 0.05; printf pieces) > "$0"', pipe], { stdio: 'ignore' });
    assert.equal(Buffer.from(await readAtMost(pipe, 100)).toString(), 'in two pieces');
    if (writer.exitCode === null) await once(writer, 'exit');
    await assert.rejects(readAtMost(join(folder, 'absent'), 1), { code: 'ENOENT' });
    // Nobody writes, and then somebody who opens it and is slow.
    await assert.rejects(readAtMost(pipe, 100, constants.O_RDONLY, 50), {
      code: 'invalid_path',
      message: `"${pipe}" is a pipe, and nobody has written into it for 0.05 s.`,
    });
    const slow = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    const late = readAtMost(pipe, 100, constants.O_RDONLY, 50);
    await sleep(200);
    writeSync(slow, 'late');
    closeSync(slow);
    assert.equal(Buffer.from(await late).toString(), 'late');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the same at once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-read-'));
  try {
    const path = join(folder, 'file');
    writeFileSync(path, 'a'.repeat(200_000));
    assert.equal(readAtMostSync(path, 200_000).length, 200_000);
    assert.equal(readAtMostSync(path, 9).length, 10);
    assert.throws(() => readAtMostSync(join(folder, 'absent'), 1), { code: 'ENOENT' });
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    assert.throws(() => readAtMostSync(pipe, 100, 50), { code: 'invalid_path', message: /is a pipe, and nobody has written/ });
    spawn('sh', ['-c', '(printf "in two "; sleep 0.2; printf pieces) > "$0"', pipe], { stdio: 'ignore' });
    assert.equal(Buffer.from(readAtMostSync(pipe, 100)).toString(), 'in two pieces');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a socket is named as one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-read-'));
  const path = join(folder, 'socket');
  const server = createServer().listen(path);
  try {
    await once(server, 'listening');
    const told = { code: 'invalid_path', message: `"${path}" is a socket: nothing can be read from it as from a file.` };
    await assert.rejects(readAtMost(path, 100), told);
    assert.throws(() => readAtMostSync(path, 100), told);
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});
