import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { readerLeft } from '../../src/runtime/reader-left.ts';

describe('a reader', () => {
  const process = (): ChildProcess & { readonly stdin: Writable } =>
    spawn('sleep', ['60'], { stdio: ['pipe', 'ignore', 'ignore'] }) as ChildProcess & { readonly stdin: Writable };
  const failed = async (stream: Writable, bytes: number): Promise<unknown> =>
    await new Promise((resolve) => {
      stream.on('error', () => undefined);
      stream.write(Buffer.alloc(bytes), resolve);
    });

  test('has left when it ended before, and while a write was under way', async () => {
    const child = process();
    const under = failed(child.stdin, 10_000_000);
    // Node closes the pipe of a process that has ended, whatever the system has said about it by then.
    child.stdin.destroy();
    const errors = [await under, await failed(child.stdin, 1)];
    child.kill('SIGKILL');
    await once(child, 'close');
    assert.deepEqual(
      errors.map((error) => [(error as NodeJS.ErrnoException).code, readerLeft(error)]),
      [
        ['ECANCELED', true],
        ['ERR_STREAM_DESTROYED', true],
      ],
    );
  });

  test('has not left when the disk is full, or when nothing failed', async () => {
    assert.equal(readerLeft(await failed(createWriteStream('/dev/full'), 1)), false);
    assert.equal(readerLeft(undefined), false);
  });
});
