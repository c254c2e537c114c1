import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readdirSync, readFileSync, readSync, truncateSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileStream } from '../../src/cli/terminal/file-stream.ts';
import { openWorkplace, type Workplace } from './workplace.ts';

interface Pushed {
  readonly package_id: string;
}

describe('an output that nobody reads, or that has no room', () => {
  let place: Workplace;
  let pushed: Pushed;
  const descriptors: number[] = [];
  before(async () => {
    // Its objects are damaged by hand, in the storage.
    place = openWorkplace({ ARTIFACTSTORE_SMALL_OBJECT_BYTES: '0' });
    await place.serve('serve', '--port', '0');
    const names = Array.from({ length: 80 }, (_, index) => `${'long-'.repeat(20)}${index}`);
    place.write(Object.fromEntries(names.map((name) => [`tree/${name}`, name])));
    place.write({ 'tree/empty/': '' });
    pushed = await place.json<Pushed>('push', 'tree');
    place.write(Object.fromEntries(names.map((name) => [`changed/${name}`, 'other'])));
  });
  after(() => {
    for (const descriptor of descriptors) closeSync(descriptor);
    place[Symbol.dispose]();
  });

  /** The standard input of a process that reads no further than a line. */
  const head = (): Writable => spawn('head', ['-1'], { stdio: ['pipe', 'ignore', 'ignore'] }).stdin;
  const opened = (path: string, flags: string | number): number => {
    const descriptor = openSync(path, flags);
    descriptors.push(descriptor);
    return descriptor;
  };

  test('ends the writing, and neither the work nor its exit code', async () => {
    const { package_id } = pushed;
    const objects = readdirSync(place.path('var/storage'), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && /^[0-9a-f]{64}/.test(entry.name),
    );
    assert.equal(objects.length, 80);
    // Nothing reads the output of a push from its first byte on, in a process of its own with both streams in the pipe.
    const [pipe, ...ended] = await Promise.all([
      place.shell(`$A push tree 2>&1 | true; echo "\${PIPESTATUS[0]}"`),
      place.runInto(head(), 'verify', package_id, 'changed'),
      place.runInto(head(), 'verify', package_id, 'changed', '--json'),
      place.runInto(head(), 'manifest', package_id),
      place.runInto(head(), 'events', '--json', '--follow'),
    ]);
    assert.equal(pipe.stdout, '0\n');
    assert.deepEqual(
      ended.map(({ code }) => code),
      [5, 5, 0, 0],
    );
    const { items } = await place.json<{ readonly items: readonly unknown[] }>('packages', 'list', '--status', 'finalized');
    assert.equal(items.length, 2);
    for (const { parentPath, name } of objects) truncateSync(`${parentPath}/${name}`, 1);
    assert.equal((await place.runInto(head(), 'storage', 'verify', '--backend', 'local')).code, 5);
    const health = JSON.parse((await place.run('health')).stdout) as { readonly backend: { readonly failed_locations: number } };
    assert.equal(health.backend.failed_locations, 160);
  });

  test('without room it is said on standard error, with what was lost; nothing is hidden, and no stack is shown', async () => {
    const into = (...args: readonly string[]) => place.runInto(fileStream(opened('/dev/full', 'w')), ...args);
    place.write({ 'small/a': 'a' });
    const told = await into('push', 'small');
    assert.equal(told.code, 1);
    assert.match(told.stderr, /^error: The output could not be written: the disk is full \(ENOSPC\)\..* \(output_failed\)$/m);
    assert.match(told.stderr, /^sealed package [0-9a-f-]{36}$/m);
    assert.doesNotMatch(told.stderr, /^\s+at /m);
    const said = JSON.parse((await into('push', 'small', '--json')).stderr) as {
      readonly code: string;
      readonly info: { readonly lost: string };
    };
    assert.equal(said.code, 'output_failed');
    assert.match((JSON.parse(said.info.lost) as Pushed).package_id, /^[0-9a-f-]{36}$/);
    assert.equal((await into('verify', pushed.package_id, 'changed')).code, 5);
    assert.equal((await into('--help')).code, 1);
  });

  test('half of a file does not pass for the whole, and both streams may be full', async () => {
    const [half, both, log] = await Promise.all([
      // What fits is written, and then the write is cut short.
      place.shell(`ulimit -f 4; $A manifest ${pushed.package_id} > half.json`),
      place.shell('$A push small > /dev/full 2>&1'),
      place.shell('ulimit -f 4; $A events --output part.jsonl'),
    ]);
    assert.deepEqual([half.code, both.code, log.code], [1, 1, 1]);
    assert.match(log.stderr, /part\.jsonl" can't be written: .*\(EFBIG\)/);
    assert.deepEqual(
      readdirSync(place.directory).filter((name) => name.startsWith('part')),
      [],
    );
    assert.match(half.stderr, /\(EFBIG\)\..*\(output_failed\)$/m);
    assert.ok(readFileSync(place.path('half.json')).length > 0);
  });

  test('a log is saved whole, and says by which digest it can be known', async () => {
    const saved = await place.json('events', '--output', 'log.jsonl');
    const lines = readFileSync(place.path('log.jsonl'), 'utf8').trimEnd().split('\n');
    assert.deepEqual([saved.events, saved.sequence], [lines.length, lines.length]);
    const verdict = await place.json('events', 'verify', '--input', 'log.jsonl');
    assert.deepEqual([verdict.sequence, verdict.chain_digest], [saved.sequence, saved.chain_digest]);
    const nowhere = await place.run('events', '--output', 'not-there/log.jsonl');
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.stderr, /log\.jsonl" can't be written: it is not there \(ENOENT\)/);
    assert.equal((await place.run('events', '--output', 'x', '--follow')).code, 2);
    assert.equal((await place.run('events', '--output', '/dev/null')).code, 0);
    assert.equal((await place.run('events', '--output', '/dev/full')).code, 1);
    assert.equal((await place.run('events', '--output', place.directory)).code, 2);
  });

  test('a reader that stopped reading does not keep what somebody wants to end', async () => {
    execFileSync('mkfifo', [place.path('unread')]);
    // Open for reading as well, so that it is a pipe with a reader, who takes one byte and then never reads again.
    const unread = opened(place.path('unread'), constants.O_RDWR | constants.O_NONBLOCK);
    const child = place.startInto(unread, {}, 'events', '--json', '--follow');
    const stderr = text(child.stderr!);
    while (!readOne(unread)) await sleep(20);
    const exit = once(child, 'close');
    child.kill('SIGTERM');
    assert.deepEqual(await exit, [1, null]);
    assert.match(await stderr, /Nobody has read the last [\d,]+ bytes of the output\..*"exit_code":0/);
  });
});

function readOne(descriptor: number): boolean {
  try {
    return readSync(descriptor, new Uint8Array(1)) === 1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
    throw error;
  }
}
