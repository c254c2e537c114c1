import assert from 'node:assert/strict';
import { chmodSync, symlinkSync, truncateSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { RemoteRegistry } from '../../../src/client/connect.ts';
import { manifestOf } from '../../bundle/bundle-folder.ts';
import { openServedWorkplace, type ServedWorkplace } from '../served-workplace.ts';
import { asNobody, type Workplace } from '../workplace.ts';

describe('push refuses, before anything is made on the server,', () => {
  let served: ServedWorkplace;
  let registry: RemoteRegistry;
  let place: Workplace;
  before(async () => {
    served = await openServedWorkplace();
    ({ place, registry } = served);
  });
  after(() => served[Symbol.asyncDispose]());

  const packages = async () => (await registry.packages.list()).items.length;

  test('links, with what to do; of many the first ten are named', async () => {
    place.write({ 'links/file': 'x' });
    for (let index = 0; index < 14; index += 1) symlinkSync('file', place.path('links', `link-${index}`));
    const { code, stderr } = await place.run('push', 'links');
    assert.equal(code, 2);
    assert.match(
      stderr,
      /14 entries below .*:\n( {2}"link-\d+" is a symbolic link\n){10} {2}… and 4 more \(invalid_path\)\nhint: .*`cp -rL`/,
    );
    const { info } = JSON.parse((await place.run('push', 'links', '--json')).stderr) as {
      readonly info: { readonly refused: readonly string[] };
    };
    assert.equal(info.refused.length, 14);
    assert.equal(await packages(), 0);
  });

  test('a directory that is not there, or is none', async () => {
    place.write({ 'a-file': 'x' });
    symlinkSync('nowhere', place.path('dangling'));
    for (const [directory, said] of [
      ['gone', 'is not a directory: it is not there'],
      ['a-file', 'is not a directory'],
      ['a-file/below', "can't be read: a part of its path is a file"],
      ['dangling', 'is not a directory: it is a symbolic link that leads nowhere'],
      ['n'.repeat(300), "can't be read: the name is too long"],
    ] as const) {
      const { code, stderr } = await place.run('push', directory);
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`${directory}" ${said}`));
    }
  });

  test('what no command knew more about is said in words too', async () => {
    const { code, stderr } = await place.run('guide-board', 'ingest', 'n'.repeat(300));
    assert.equal(code, 2);
    assert.match(stderr, /^error: ".*n" can't be used: the name is too long for the file system \(ENAMETOOLONG\)\. \(invalid_path\)$/m);
  });

  test('an idempotency key that no header carries, by the name of its option; so does publish', async () => {
    place.write({ 'bundle/one': 'one', 'bundle/bundle.json': JSON.stringify(manifestOf({ one: 'one' })) });
    for (const args of [
      ['push', 'bundle'],
      ['publish', 'bundle', '--via', 'session'],
    ])
      for (const key of ['clé', ' k', 'k '.repeat(128)]) {
        const { code, stderr } = await place.run(...args, '--idempotency-key', key);
        assert.equal(code, 2, stderr);
        assert.match(stderr, /^error: --idempotency-key: .*1 to 255 printable ASCII/);
      }
    assert.equal(await packages(), 0);
  });

  test('files and directories that this user can not read, all of them', async () => {
    place.write({ 'closed/open': 'x', 'closed/one': 'x', 'closed/sub/two': 'x', 'closed/shut/three': 'x' });
    chmodSync(place.directory, 0o755);
    for (const path of ['closed/one', 'closed/sub/two', 'closed/shut']) chmodSync(place.path(path), 0);
    const { code, stderr } = await place.shell(`${asNobody} $A push closed`);
    chmodSync(place.path('closed/shut'), 0o755);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /3 entries/);
    for (const path of ['one', 'sub/two', 'shut/'])
      assert.match(stderr, new RegExp(`"${path}" can't be read: this user has no permission \\(EACCES\\)`));
    assert.match(stderr, /hint: .*`chmod`/);
    assert.equal(await packages(), 0);
  });

  test('too many open files is no fault of a path: the limit and --jobs are named', async () => {
    // Short files are read one after the other, on the thread that hashes them.
    for (let index = 0; index < 100; index += 1) {
      place.write({ [`many/${index}`]: '' });
      truncateSync(place.path(`many/${index}`), 300_000);
    }
    const { code, stderr } = await place.shell('ulimit -n 60; $A push many --jobs 100');
    assert.equal(code, 1, stderr);
    assert.match(stderr, /This process has too many files open \(EMFILE\).* \(local_file_failed\)\nhint: .*--jobs.*`ulimit -n`/);
  });
});
