import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, constants, ftruncateSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createLineWriter } from '../../src/http/line-writer.ts';
import { until } from '../doors/rest/open-door.ts';

describe('lines of the log', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'artifactstore-lines-'));
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  /** A pipe with both ends in this process: nobody reads unless the test does. */
  function pipe(name: string) {
    const path = join(directory, name);
    assert.equal(spawnSync('mkfifo', [path]).status, 0);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    // As a shell gives it: a write to this end waits.
    const end = openSync(path, constants.O_WRONLY);
    const read = (): string => {
      const bytes = Buffer.alloc(1_048_576);
      try {
        return bytes.toString('utf8', 0, readSync(reader, bytes));
      } catch {
        return '';
      }
    };
    return { reader, end, read };
  }

  test('arrive in order and whole', async () => {
    const path = join(directory, 'file');
    const end = openSync(path, 'w');
    const writer = createLineWriter(end);
    const lines = Array.from({ length: 5000 }, (_, index) => `${index} ${'x'.repeat(index % 90)}\n`);
    for (const line of lines) writer.write(line);
    await writer.flush(10_000);
    writer.write('last\n');
    writer.flushNow();
    assert.equal(readFileSync(path, 'utf8'), `${lines.join('')}last\n`);
    assert.equal(writer.dropped(), 0);
    ftruncateSync(end);
    closeSync(end);
  });

  test('to a full disk are dropped and counted', async () => {
    const end = openSync('/dev/full', 'w');
    const writer = createLineWriter(end);
    for (let index = 0; index < 3; index += 1) writer.write('no room\n');
    await writer.flush(10_000);
    assert.equal(writer.dropped(), 3);
    closeSync(end);
  });

  test('to a pipe that nobody reads wait, up to a bound, and the rest is counted; a reader who comes back is told', async () => {
    const { reader, end, read } = pipe('stuck');
    const resumed: number[] = [];
    const writer = createLineWriter(end, { maximumBytes: 100_000, onResumed: (lines) => resumed.push(lines) });
    const line = `${'y'.repeat(99)}\n`;
    // The pipe itself takes 64 KiB.
    for (let index = 0; index < 4000; index += 1) {
      writer.write(line);
      if (index % 500 === 0) await writer.flush(5);
    }
    await writer.flush(50);
    const dropped = writer.dropped();
    assert.ok(dropped >= 4000 - (100_000 + 65_536) / 100 - 100 && dropped < 4000, String(dropped));
    let text = '';
    await until(() => {
      text += read();
      return resumed.length > 0;
    });
    await until(() => {
      text += read();
      return text.length === (4000 - dropped) * 100;
    });
    assert.ok(text.split('\n').every((each) => each === '' || each.length === 99));
    assert.deepEqual(resumed, [dropped]);
    closeSync(reader);
    closeSync(end);
  });

  test('to a pipe whose reader has gone are dropped and counted', async () => {
    const { reader, end } = pipe('gone');
    const writer = createLineWriter(end);
    closeSync(reader);
    writer.write('into the void\n');
    await writer.flush(10_000);
    assert.equal(writer.dropped(), 1);
    closeSync(end);
  });
});
