import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { bytesBody, type RemoteRegistry } from '../../../src/client/connect.ts';
import { makeDraftFolder } from '../../../src/client/pull/drafts.ts';
import { newDraftFolder } from '../../../src/client/tree/draft-folder.ts';
import { cannotMount, mountSmall, remountReadOnly, unmount } from '../../faults/small-disk.ts';
import { openServedWorkplace, type ServedWorkplace } from '../served-workplace.ts';
import { describeTree } from '../tree.ts';
import { asNobody, type Finished, type Workplace } from '../workplace.ts';

describe('pull', () => {
  let served: ServedWorkplace;
  let registry: RemoteRegistry;
  let place: Workplace;
  let id: string;
  let other: string;
  before(async () => {
    served = await openServedWorkplace();
    ({ place, registry } = served);
    place.write({ 'tree/x': 'x', 'tree/sub/y': 'y', 'tree2/x': 'other' });
    id = String((await place.json('push', 'tree')).package_id);
    other = String((await place.json('push', 'tree2')).package_id);
  });
  after(() => served[Symbol.asyncDispose]());

  /** A problem in words: its code is known, and neither a system call nor "internal" is in it. */
  async function refused(code: number, ...args: readonly string[]): Promise<string> {
    return inWords(code, await place.run(...args));
  }

  function inWords(code: number, result: Finished): string {
    assert.equal(result.code, code, result.stderr);
    assert.doesNotMatch(result.stderr, /\(internal\)|syscall|, (open|mkdir|scandir|lstat|write|rename)\b/);
    return result.stderr;
  }

  test('names the file that a proxy breaks off', async () => {
    const target = served.url;
    const proxy = createServer((request, response) => {
      if (request.url?.endsWith('/download') === true) {
        response.writeHead(200, { 'content-length': 1 });
        response.flushHeaders();
        return void setImmediate(() => response.destroy());
      }
      void fetch(`${target}${request.url}`, { headers: { authorization: request.headers.authorization ?? '' } }).then(async (answer) => {
        response.writeHead(answer.status, Object.fromEntries(answer.headers));
        response.end(Buffer.from(await answer.arrayBuffer()));
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      assert.match(await refused(6, 'pull', id, 'cut', '--jobs', '1', '--api-url', url), /^error: "sub\/y": /);
    } finally {
      proxy.close();
      proxy.closeAllConnections();
    }
  });

  test('saves the manifest beside the directory, unless told not to', async () => {
    const pulled = await place.json('pull', id, 'beside');
    assert.equal(pulled.manifest_file, place.path('beside.manifest.cbor'));
    assert.equal((await place.json('verify', id, 'beside', '--manifest', 'beside.manifest.cbor')).ok, true);
    assert.equal((await place.json('pull', id, 'alone', '--no-manifest')).manifest_file, null);
    assert.equal(existsSync(place.path('alone.manifest.cbor')), false);
    await place.json('pull', id, 'beside', '--force');
    rmSync(place.path('beside'), { recursive: true });
    const said = await refused(4, 'pull', other, 'beside');
    assert.match(said, new RegExp(`the manifest of package ${id} is there\\..*\nhint: --force replaces it`));
    assert.equal(existsSync(place.path('beside')), false);
    assert.equal((await place.json('pull', other, 'beside', '--force')).written_files, 1);
    assert.equal((await place.json('verify', other, 'beside', '--manifest', 'beside.manifest.cbor')).ok, true);
  });

  test('waits for no reader of a pipe that nobody named', async () => {
    execFileSync('mkfifo', [place.path('piped.manifest.cbor')]);
    assert.match(await refused(4, 'pull', id, 'piped'), /something else is there/);
    assert.equal(existsSync(place.path('piped')), false);
  });

  test('writes the manifest over no file of the package, under any of its names, and over nothing of anybody else', async () => {
    place.write({ 'target/': '', 'notes.txt': 'mine' });
    symlinkSync('target', place.path('alias'));
    for (const manifest of ['target/x', 'target/sub', 'alias/x', 'target/X', 'alias/sub']) {
      assert.match(
        await refused(4, 'pull', id, 'target', '--manifest', manifest),
        /is where the file "(x|sub\/y)" of the package belongs/,
        manifest,
      );
      assert.deepEqual(readdirSync(place.path('target')), []);
    }
    for (const force of [[], ['--force']])
      assert.match(await refused(4, 'pull', id, 'target', '--manifest', 'notes.txt', ...force), /something else is there/);
    assert.equal(readFileSync(place.path('notes.txt'), 'utf8'), 'mine');
    assert.match(
      await refused(2, 'pull', id, 'target', '--manifest', 'no/where.cbor'),
      /"[^"]*\/no" can't be used for the manifest: it is not there/,
    );
    assert.deepEqual(readdirSync(place.path('target')), []);
    assert.match(await refused(2, 'manifest', id, '--output', 'no/where.json'), /The folder "[^"]*\/no" is not there/);
    await place.json('pull', id, 'target', '--manifest', 'target/manifest.json');
    assert.equal(readFileSync(place.path('target/x'), 'utf8'), 'x');
  });

  test('says what is in the way where the directory should be', async () => {
    place.write({ 'a-file': 'x' });
    symlinkSync('gone', place.path('dangling'));
    assert.match(await refused(2, 'pull', id, 'a-file'), /"a-file" is not a directory/);
    assert.match(await refused(2, 'pull', id, 'a-file/below'), /"a-file\/below" can't be used: a part of its path is a file/);
    assert.match(await refused(2, 'pull', id, 'dangling'), /"dangling" is a symbolic link that leads nowhere/);
    assert.match(await refused(2, 'pull', id, 'n'.repeat(300)), /the name is too long for the file system/);
  });

  test('names what this file system can not hold before anything is fetched', async () => {
    const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
    const draft = newDraftFolder();
    for (const path of ['fine', `long/${'s'.repeat(300)}/x`, 'a', 'a/b', `${draft}/1`])
      await registry.files.add(record.id, { relative_path: path, body: bytesBody(Buffer.from(path)) });
    await registry.packages.finalize(record.id);
    const said = await refused(4, 'pull', record.id, 'odd');
    assert.match(said, /These 3 paths .* can't be put into/);
    assert.match(said, /has a name of 300 bytes, which is too long/);
    assert.match(said, /"a" is a file, and a folder of "a\/b"/);
    assert.match(said, new RegExp(`${draft}.*where a pull keeps`));
    assert.equal(existsSync(place.path('odd')), false);
  });

  test('resumed with --force, removes what a killed pull left and nothing of one in progress; push leaves both out and says so', async () => {
    const dead = newDraftFolder();
    place.write({ [`resumed/${dead}/1`]: 'half', 'resumed/x': 'wrong' });
    assert.match(await refused(4, 'pull', id, 'resumed'), /is not empty.*\nhint: .*--force resumes one that was stopped/);
    const alive = await makeDraftFolder(place.path('resumed'));
    try {
      const pushed = await place.run('push', 'resumed');
      assert.match(pushed.stderr, new RegExp(`"${dead}/" is left out`));
      assert.match(pushed.stdout, /1 file,/);
      const forced = await place.run('pull', id, 'resumed', '--force');
      assert.equal(forced.code, 0, forced.stderr);
      assert.match(forced.stderr, /is left there: another pull/);
      assert.deepEqual(readdirSync(place.path('resumed')).sort(), [alive.path.split('/').at(-1), 'sub', 'x']);
    } finally {
      await alive.remove();
    }
    assert.deepEqual(describeTree(place.path('resumed')), describeTree(place.path('tree')));
  });

  test('into a disk that is full or read-only says so, and what the directory is by now', { skip: cannotMount() }, async () => {
    place.write({ 'big/a': 'a', 'big/b': new Uint8Array(3_000_000), 'disk/': '' });
    const big = String((await place.json('push', 'big')).package_id);
    mountSmall(place.path('disk'), '1m');
    try {
      const said = await refused(1, 'pull', big, 'disk/out', '--jobs', '1');
      assert.match(said, /"[^"]*disk\/out\/b" can't be written: the disk is full \(ENOSPC\)\. \(storage_full\)/);
      assert.match(
        said,
        /hint: make room .*; "disk\/out" holds 1 of 2 files by now, each of them whole; run the same command with --force/,
      );
      assert.deepEqual(readdirSync(place.path('disk/out')), ['a']);
      remountReadOnly(place.path('disk'));
      assert.match(await refused(2, 'pull', id, 'disk/new'), /"disk\/new" can't be made: the file system is read-only/);
      assert.match(await refused(2, 'pull', id, 'disk/out', '--force'), /the file system is read-only/);
    } finally {
      unmount(place.path('disk'));
    }
  });

  test('with too many files open says so, and what the directory is by now', async () => {
    // Too long to come together with others.
    for (let index = 0; index < 200; index += 1) place.write({ [`many/${index}`]: new Uint8Array(262_145) });
    const many = String((await place.json('push', 'many')).package_id);
    const said = inWords(1, await place.shell(`ulimit -n 60; $A pull ${many} opened --jobs 200`));
    assert.match(
      said,
      /^error: This process has too many files open \(EMFILE\).*\nhint: .*--jobs.*; "opened" holds \d+ of 200 files by now/m,
    );
  });

  test('without the right to write says so', async () => {
    mkdirSync(place.path('closed'));
    chmodSync(place.path('closed'), 0o555);
    chmodSync(place.directory, 0o755);
    assert.match(
      inWords(2, await place.shell(`${asNobody} $A pull ${id} closed`)),
      /"[^"]*closed" can't be written to: this user has no permission \(EACCES\)/,
    );
    assert.match(
      inWords(2, await place.shell(`${asNobody} $A pull ${id} closed/new`)),
      /"closed\/new" can't be made: this user has no permission/,
    );
  });
});
