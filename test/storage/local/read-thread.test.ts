import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createReadThread } from '../../../src/storage/local/read-thread.ts';

const flags = constants.O_RDONLY | constants.O_NOFOLLOW;

test('reads many files whole, each for the one that asked', () =>
  inDirectory(async (directory) => {
    const thread = createReadThread({ flags, maximumBytes: 1000 });
    const contents = Array.from({ length: 200 }, (_, index) => Buffer.alloc(index % 7 === 0 ? 0 : index, index));
    contents.forEach((bytes, index) => {
      writeFileSync(join(directory, `${index}`), bytes);
    });
    // Starting takes longer than many would wait.
    await thread.read(join(directory, '1'));
    for (let round = 0; round < 3; round++) {
      const read = await Promise.all(contents.map((_, index) => thread.read(join(directory, `${index}`))));
      assert.deepEqual(
        read.map((bytes) => bytes && Buffer.from(bytes)),
        contents,
      );
    }
  }));

test('leaves what it cannot read to others, and reads their neighbours', () =>
  inDirectory(async (directory) => {
    const thread = createReadThread({ flags, maximumBytes: 1000 });
    writeFileSync(join(directory, 'good'), 'good');
    writeFileSync(join(directory, 'fits'), new Uint8Array(1000));
    writeFileSync(join(directory, 'long'), new Uint8Array(1001));
    symlinkSync(join(directory, 'good'), join(directory, 'link'));
    const names = ['absent', 'good', 'long', 'link', '.', 'fits', 'good/below'];
    const read = await Promise.all(names.map((name) => thread.read(join(directory, name))));
    assert.deepEqual(
      read.map((bytes) => bytes?.byteLength),
      [undefined, 4, undefined, undefined, undefined, 1000, undefined],
    );
  }));

test('is passed by while a file holds it up', () =>
  inDirectory(async (directory) => {
    const thread = createReadThread({ flags, maximumBytes: 1000 });
    const good = join(directory, 'good');
    const pipe = join(directory, 'pipe');
    writeFileSync(good, 'good');
    execFileSync('mkfifo', [pipe]);
    assert.equal((await thread.read(good))?.byteLength, 4);
    const held = thread.read(pipe);
    await sleep(100);
    assert.equal(thread.read(good), undefined);
    closeSync(openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK));
    assert.equal(await held, undefined);
    assert.equal((await thread.read(good))?.byteLength, 4);
  }));

test('lets go what was asked before a file held it up', () =>
  inDirectory(async (directory) => {
    const thread = createReadThread({ flags, maximumBytes: 1000 });
    const good = join(directory, 'good');
    const pipe = join(directory, 'pipe');
    writeFileSync(good, 'good');
    execFileSync('mkfifo', [pipe]);
    await thread.read(good);
    // The first batches are full, so that the rest waits here.
    const first = Array.from({ length: 128 }, () => thread.read(pipe));
    const rest = Array.from({ length: 10 }, () => thread.read(good));
    const late = sleep(5_000, 'late', { ref: false });
    assert.deepEqual(await Promise.race([Promise.all(rest), late]), Array(10).fill(undefined));
    const opened = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    assert.deepEqual(await Promise.all(first), Array(128).fill(undefined));
    closeSync(opened);
  }));

test('keeps bytes that somebody holds for long from keeping those of many', () =>
  inDirectory(async (directory) => {
    const thread = createReadThread({ flags, maximumBytes: 65_536 });
    const lengths = [40_000, 30_000, 65_536, 0, 1, 65_535, 0, 100];
    lengths.forEach((length, index) => {
      writeFileSync(join(directory, `${index}`), Buffer.alloc(length, index + 1));
    });
    const read = await Promise.all(lengths.map((_, index) => thread.read(join(directory, `${index}`))));
    read.forEach((bytes, index) => {
      assert.deepEqual(Buffer.from(bytes!), Buffer.alloc(lengths[index]!, index + 1));
      assert.ok(bytes!.buffer.byteLength <= 65_536);
    });
  }));

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
  try {
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
