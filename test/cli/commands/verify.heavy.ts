import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { newDraftFolder } from '../../../src/client/tree/draft-folder.ts';
import { openWorkplace, type RunningServer, type Workplace } from '../workplace.ts';

interface Verdict {
  readonly ok: boolean;
  readonly complete: boolean;
  readonly problems: readonly { readonly relative_path: string; readonly problem: string; readonly detail: string }[];
  readonly manifest_digest: string;
  readonly manifest_source: string;
  readonly manifest_path: string | null;
  readonly manifest_confirmed_by: readonly string[];
  readonly sealed_by: string;
  readonly left_folders: readonly string[];
}

const nobody = ['--api-url', 'http://127.0.0.1:1'];

describe('verify', () => {
  let place: Workplace;
  let server: RunningServer;
  let id: string;
  let digest: string;
  before(async () => {
    place = openWorkplace();
    server = await place.serve('serve', '--port', '0');
    place.write({ 'good/a': 'a', 'good/b': 'b', 'good/run': '#!/bin/sh\n', 'good/sub/c': 'c', 'good/sub/d': 'd', 'good/far/e': 'e' });
    chmodSync(place.path('good/run'), 0o755);
    ({ package_id: id, manifest_digest: digest } = await place.json<{ readonly package_id: string; readonly manifest_digest: string }>(
      'push',
      'good',
    ));
    for (const name of ['saved.cbor', 'saved.json']) await place.run('manifest', id, '--output', name);
  });
  after(() => place[Symbol.dispose]());

  const verify = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await place.run('verify', id, ...args, '--json');
    return { code, stderr, verdict: (stdout === '' ? {} : JSON.parse(stdout)) as Verdict };
  };
  const problems = ({ verdict }: { readonly verdict: Verdict }) =>
    verdict.problems.map(({ relative_path, problem }) => [relative_path, problem]);

  test('does not give up at what is odd: each oddity is a problem of its own, and the rest is checked', async () => {
    cpSync(place.path('good'), place.path('odd'), { recursive: true });
    const at = (...parts: readonly string[]) => place.path('odd', ...parts);
    writeFileSync(at('a'), 'A');
    rmSync(at('b'));
    symlinkSync('a', at('b'));
    symlinkSync('/etc', at('out'));
    chmodSync(at('run'), 0o644);
    chmodSync(at('sub/c'), 0o755);
    rmSync(at('sub/d'));
    mkdirSync(at('sub/d'));
    // Whoever opens the second one as a manifest waits for ever.
    execFileSync('mkfifo', [at('pipe'), at('manifest.json')]);
    writeFileSync(Buffer.concat([Buffer.from(at('name-')), Buffer.from([0xff])]), 'x');
    renameSync(at('far'), place.path('elsewhere'));
    symlinkSync(place.path('elsewhere'), at('far'));
    const socket = createServer();
    await new Promise<void>((resolve) => socket.listen(at('socket'), resolve));
    const left = newDraftFolder();
    place.write({ [`odd/${left}/1`]: 'half of a file' });
    try {
      const found = await verify('odd');
      assert.equal(found.code, 5, found.stderr);
      assert.deepEqual(problems(found), [
        ['a', 'damaged'],
        ['b', 'link'],
        ['far', 'link'],
        ['far/e', 'missing'],
        ['manifest.json', 'special'],
        ['name-\ufffd', 'unexpected'],
        ['out', 'link'],
        ['pipe', 'special'],
        ['run', 'mode'],
        ['socket', 'special'],
        ['sub/c', 'mode'],
        ['sub/d', 'special'],
      ]);
      assert.deepEqual(found.verdict.left_folders, [`${left}/`]);
      const table = await place.run('verify', id, 'odd');
      assert.match(table.stdout, /^PROBLEM +FILE +DETAIL\ndamaged +a +SHA-256/);
      assert.match(table.stdout, /^link +b +is a symbolic link$/m);
      assert.match(table.stderr, new RegExp(`"${left}/" is left from a pull that was killed`));
    } finally {
      socket.close();
    }
  });

  test('a name that is shown like that of a file is not taken for it', {
    skip: process.platform !== 'linux' && 'names are text there',
  }, async () => {
    place.write({ 'shown/name-\ufffd': 'as it was pushed' });
    const { package_id } = await place.json<{ readonly package_id: string }>('push', 'shown');
    writeFileSync(Buffer.concat([Buffer.from(place.path('shown', 'name-')), Buffer.from([0xff])]), 'x');
    const { code, stdout } = await place.run('verify', package_id, 'shown', '--json');
    assert.deepEqual([code, problems({ verdict: JSON.parse(stdout) as Verdict })], [5, [['name-\ufffd', 'unexpected']]]);
  });

  test('what could not be read is neither right nor damaged', { skip: process.platform === 'win32' && 'ulimit is not there' }, async () => {
    const names = Array.from({ length: 200 }, (_, index) => `many/${index}`);
    place.write(Object.fromEntries(names.map((name) => [name, `${name} `.repeat(1000)])));
    const { package_id } = await place.json<{ readonly package_id: string }>('push', 'many');
    const { code, stdout, stderr } = await place.shell(`ulimit -n 64; $A verify ${package_id} many --jobs 200 --json`);
    assert.equal(code, 1, stderr);
    const verdict = JSON.parse(stdout) as Verdict;
    assert.deepEqual([...new Set(verdict.problems.map(({ problem }) => problem))], ['unreadable']);
    assert.match(verdict.problems[0]!.detail, /too many files open \(EMFILE\)/);
    assert.match(stderr, /"code":"local_file_failed".*so nothing is known of (it|them).*--jobs/);
  });

  test('a closed directory is unreadable, and so is what is in it', {
    skip: process.getuid?.() === 0 && 'the user root reads everything',
  }, async () => {
    cpSync(place.path('good'), place.path('closed'), { recursive: true });
    chmodSync(place.path('closed/sub'), 0);
    try {
      const found = await verify('closed');
      assert.deepEqual([found.code, problems(found)], [1, ['sub', 'sub/c', 'sub/d'].map((path) => [path, 'unreadable'])]);
    } finally {
      chmodSync(place.path('closed/sub'), 0o755);
    }
  });

  test('says whose package it is, and who confirms its manifest', async () => {
    const online = await verify('good', '--digest', digest.toUpperCase());
    assert.equal(online.code, 0, online.stderr);
    assert.deepEqual(online.verdict.manifest_confirmed_by, ['server', 'digest']);
    assert.deepEqual([online.verdict.manifest_source, online.verdict.sealed_by, online.verdict.complete], ['server', 'tester', true]);
    const { stdout } = await place.run('verify', id);
    assert.match(
      stdout,
      /every byte is what the manifest says\n {2}manifest blake3:.*\n {2}sealed {3}\S+Z by tester in registry \S+, with \S+\n/,
    );
    assert.match(stdout, new RegExp(`checked {2}against the package's record and the log of events of ${server.url}`));
    for (const wrong of ['blake3:12', 'sha256:'.padEnd(71, '0'), ''])
      assert.equal((await verify('good', '--digest', wrong)).code, 2, wrong);
    const other = await verify('--digest', `blake3:${'0'.repeat(64)}`);
    assert.equal(other.code, 5);
    assert.match(other.stderr, /The server's manifest has the digest blake3:\w+, not blake3:0000/);
  });

  test('a file that is gone from a saved manifest and from the directory shows by the digest that was given', async () => {
    cpSync(place.path('good'), place.path('less'), { recursive: true });
    rmSync(place.path('less/a'));
    const manifest = JSON.parse(readFileSync(place.path('saved.json'), 'utf8')) as { files: { relative_path: string }[] };
    manifest.files = manifest.files.filter(({ relative_path }) => relative_path !== 'a');
    place.write({ 'less.json': JSON.stringify(manifest) });
    const trusted = await place.run('verify', id, 'less', '--manifest', 'less.json');
    assert.equal(trusted.code, 0);
    assert.match(trusted.stdout, /trusted {2}as given: nobody confirmed this manifest\..*\n.*--digest/);
    const held = await verify('less', '--manifest', 'less.json', '--digest', digest);
    assert.equal(held.code, 5);
    assert.match(held.stderr, /was changed, or it is of another package; no file was looked at/);
    for (const saved of ['saved.json', 'saved.cbor']) {
      const right = await verify('good', '--manifest', saved, '--digest', digest, ...nobody);
      assert.deepEqual([right.code, right.verdict.manifest_confirmed_by], [0, ['digest']]);
    }
  });

  test('takes an unpacked archive for what it is, with a server and without', async () => {
    mkdirSync(place.path('unpacked'));
    const answer = await fetch(`${server.url}/packages/${id}/archive`, { headers: { authorization: 'Bearer cli-test-token' } });
    execFileSync('tar', ['-x', '-C', place.path('unpacked')], { input: Buffer.from(await answer.arrayBuffer()) });
    const online = await verify('unpacked');
    assert.deepEqual([online.code, online.verdict.problems], [0, []]);
    const offline = await verify('unpacked', '--digest', digest, ...nobody);
    assert.deepEqual(
      [offline.code, offline.verdict.manifest_source, offline.verdict.manifest_path, offline.verdict.manifest_digest],
      [0, 'archive', place.path('unpacked/manifest.json'), digest],
    );
    place.write({ 'unpacked/manifest.json': '{"name":"something else"}' });
    assert.deepEqual(problems(await verify('unpacked')), [['manifest.json', 'unexpected']]);
    assert.equal((await verify('unpacked', ...nobody)).code, 6);
  });

  test('without a server goes by the manifest that was saved beside the directory, and says so', async () => {
    cpSync(place.path('good'), place.path('kept'), { recursive: true });
    const alone = await verify('kept', ...nobody);
    assert.equal(alone.code, 6);
    assert.match(alone.stderr, /without a server a saved manifest will do: --manifest <file>/);
    const absent = await verify('not-there', ...nobody);
    assert.equal(absent.code, 2);
    assert.match(absent.stderr, /is not a directory: it is not there/);
    cpSync(place.path('saved.cbor'), place.path('kept.manifest.cbor'));
    const { code, stdout } = await place.run('verify', id, 'kept/', ...nobody);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /read {5}from \S+kept\.manifest\.cbor, since no server answers at http:\/\/127\.0\.0\.1:1\n {2}trusted {2}as given/,
    );
    place.write({ 'kept/extra': '' });
    assert.deepEqual(problems(await verify('kept', ...nobody)), [['extra', 'unexpected']]);
  });
});
