import assert from 'node:assert/strict';
import { readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { Manifest } from '../../src/kernel/manifest.ts';
import { describeTree, writeTree } from './tree.ts';
import { openWorkplace, type Workplace } from './workplace.ts';

interface Pushed {
  readonly package_id: string;
  readonly manifest_digest: string;
  readonly file_count: number;
  readonly total_bytes: number;
  readonly uploaded_bytes: number;
}

describe('push, pull and verify', () => {
  let place: Workplace;
  let pushed: Pushed;
  let count: number;
  before(async () => {
    place = openWorkplace();
    await place.serve('serve', '--port', '0');
    count = writeTree(place.path('tree'), 20_261_120);
    pushed = await place.json('push', 'tree', '--producer', 'ci', '--subject', 's', '--metadata', 'build=42', '--metadata', 'branch=main');
  });
  after(() => place[Symbol.dispose]());

  test('push --json says exactly what was promised', () => {
    assert.deepEqual(Object.keys(pushed), ['package_id', 'manifest_digest', 'file_count', 'total_bytes', 'uploaded_bytes']);
    assert.equal(pushed.file_count, count);
    assert.equal(pushed.uploaded_bytes, pushed.total_bytes);
    assert.match(pushed.manifest_digest, /^blake3:[0-9a-f]{64}$/);
  });

  test('a second push sends nothing', async () => {
    place.write({ 'metadata.json': '{"build":43}' });
    const again = await place.json<Pushed>('push', 'tree', '--metadata-file', 'metadata.json');
    assert.equal(again.uploaded_bytes, 0);
    assert.equal(again.total_bytes, pushed.total_bytes);
    assert.notEqual(again.package_id, pushed.package_id);
  });

  test('pull brings back the same tree: odd names, empty and hidden files, executable bits', async () => {
    const pulled = await place.json('pull', pushed.package_id, 'pulled', '--manifest', 'saved.cbor');
    assert.equal(pulled.written_files, count);
    assert.deepEqual(describeTree(place.path('pulled')), describeTree(place.path('tree')));
  });

  test('pull refuses a directory that is not empty, and with --force mends it', async () => {
    const refused = await place.run('pull', pushed.package_id, 'pulled');
    assert.equal(refused.code, 4);
    const [first = ''] = describeTree(place.path('pulled')).keys();
    writeFileSync(place.path('pulled', first), 'something else altogether');
    const mended = await place.json('pull', pushed.package_id, 'pulled', '--force');
    assert.equal(mended.written_files, 1);
    assert.deepEqual(describeTree(place.path('pulled')), describeTree(place.path('tree')));
  });

  test('pull follows no link out of the directory', async () => {
    place.write({ 'links/dir/file': 'inside', 'outside/': '' });
    const { package_id } = await place.json<Pushed>('push', 'links');
    place.write({ 'trap/': '' });
    symlinkSync(place.path('outside'), place.path('trap', 'dir'));
    const refused = await place.run('pull', package_id, 'trap', '--force');
    assert.equal(refused.code, 4, refused.stderr);
    assert.deepEqual([...describeTree(place.path('outside')).keys()], []);
  });

  test('manifest prints the manifest whole', async () => {
    const { stdout } = await place.run('manifest', pushed.package_id);
    const manifest = JSON.parse(stdout) as Manifest;
    assert.equal(manifest.files.length, count);
    assert.deepEqual(manifest.package.metadata, { branch: 'main', build: 42 });
    assert.equal(manifest.package.producer, 'ci');
    writeFileSync(place.path('saved.json'), stdout);
    assert.equal((await place.run('manifest', pushed.package_id, '--output', 'again.cbor')).code, 0);
    assert.deepEqual(readFileSync(place.path('again.cbor')), readFileSync(place.path('saved.cbor')));
  });

  test('verify finds everything right on the server, in a directory, and offline', async () => {
    for (const more of [[], ['tree'], ['tree', '--manifest', 'saved.cbor'], ['tree', '--manifest', 'saved.json']]) {
      const offline = more.includes('--manifest') ? ['--api-url', 'http://127.0.0.1:1'] : [];
      const verdict = await place.json('verify', pushed.package_id, ...more, ...offline);
      const { ok, package_id, manifest_digest, file_count, total_bytes, problems } = verdict;
      assert.deepEqual(
        { ok, package_id, manifest_digest, file_count, total_bytes, problems },
        {
          ok: true,
          package_id: pushed.package_id,
          manifest_digest: pushed.manifest_digest,
          file_count: count,
          total_bytes: pushed.total_bytes,
          problems: [],
        },
      );
    }
  });

  test('verify names what differs in a directory and ends with 5', async () => {
    place.write({ 'damaged/right': 'right', 'damaged/wrong': 'wrong', 'damaged/gone': 'gone' });
    const { package_id } = await place.json<Pushed>('push', 'damaged');
    place.write({ 'damaged/wrong': 'wrung', 'damaged/extra': 'extra' });
    rmSync(place.path('damaged/gone'));
    const { code, stdout, stderr } = await place.run('verify', package_id, 'damaged', '--json');
    assert.equal(code, 5);
    const verdict = JSON.parse(stdout) as { readonly problems: readonly { readonly relative_path: string; readonly problem: string }[] };
    assert.deepEqual(
      verdict.problems.map(({ relative_path, problem }) => [relative_path, problem]),
      [
        ['extra', 'unexpected'],
        ['gone', 'missing'],
        ['wrong', 'damaged'],
      ],
    );
    assert.equal((JSON.parse(stderr) as { readonly code: string }).code, 'integrity_failure');
    const table = await place.run('verify', package_id, 'damaged');
    assert.match(table.stdout, /PROBLEM +FILE +DETAIL\nunexpected +extra/);
  });

  test('verify and pull find a flipped bit on the server, and health shows it', async () => {
    // Long enough to lie in the storage as soon as it is answered.
    place.write({ 'flip/small': 'a small file '.repeat(6_000), 'flip/other': 'another' });
    const { package_id } = await place.json<Pushed>('push', 'flip');
    const manifest = JSON.parse((await place.run('manifest', package_id)).stdout) as Manifest;
    const index = manifest.files.findIndex((file) => file.relative_path === 'small');
    const object = place.path('var/storage', manifest.storage_receipts[index]!.object_key);
    const bytes = readFileSync(object);
    bytes[3]! ^= 0x10;
    truncateSync(object);
    writeFileSync(object, bytes);
    const verdict = await place.run('verify', package_id);
    assert.equal(verdict.code, 5, verdict.stderr);
    assert.match(verdict.stdout, /damaged +small/);
    assert.doesNotMatch(verdict.stdout, /other/);
    assert.equal((await place.run('pull', package_id, 'flipped')).code, 5);
    const health = await place.run('health');
    assert.equal(health.code, 1);
    assert.equal((JSON.parse(health.stdout) as { readonly backend: { readonly failed_locations: number } }).backend.failed_locations, 1);
  });

  test('a key goes on with the same package, and is refused for another', async () => {
    place.write({ 'keyed/a': 'a', 'keyed/b': 'b' });
    const first = await place.json<Pushed>('push', 'keyed', '--idempotency-key', 'k1');
    const again = await place.json<Pushed>('push', 'keyed', '--idempotency-key', 'k1');
    assert.deepEqual({ ...again, uploaded_bytes: 0 }, { ...first, uploaded_bytes: 0 });
    place.write({ 'keyed/c': 'c' });
    assert.equal((await place.run('push', 'keyed', '--idempotency-key', 'k1')).code, 4);
    assert.equal((await place.run('push', 'keyed', '--name', 'other', '--idempotency-key', 'k1')).code, 4);
  });

  test('push refuses links and other special files, all by name, and warns of empty directories', async () => {
    place.write({ 'odd/file': 'x', 'odd/empty/': '' });
    const warned = await place.run('push', 'odd');
    assert.equal(warned.code, 0);
    assert.match(warned.stderr, /empty directory "empty\/"/);
    symlinkSync('file', place.path('odd/link'));
    symlinkSync('/etc', place.path('odd/empty/link'));
    const refused = await place.run('push', 'odd');
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /"empty\/link" is a symbolic link/);
    assert.match(refused.stderr, /"link" is a symbolic link/);
  });

  test('a refusal names its option, whoever refuses, and ends with 2', async () => {
    place.write({ 'one/file': '1', 'broken.json': '{"a":', 'list.json': '[]', 'latin1.json': Buffer.from('{"a":"\xe9"}', 'latin1') });
    const list = ['packages', 'list'] as const;
    for (const [said, ...args] of [
      [/--metadata-file: "broken\.json" holds no JSON/, 'push', 'one', '--metadata-file', 'broken.json'],
      [/--metadata-file: "latin1\.json" .*not UTF-8/, 'push', 'one', '--metadata-file', 'latin1.json'],
      [/--metadata-file: "list\.json" does not hold a JSON object/, 'push', 'one', '--metadata-file', 'list.json'],
      [/--metadata-file: "none\.json" can't be read: it is not there \(ENOENT\)/, 'push', 'one', '--metadata-file', 'none.json'],
      [/--metadata: "=v" does not look like key=value/, 'push', 'one', '--metadata', '=v'],
      [/--metadata: The key "a" is given twice/, 'push', 'one', '--metadata', 'a=1', '--metadata', 'a=2'],
      [/--idempotency-key: .*printable ASCII/, 'push', 'one', '--idempotency-key', 'clé'],
      [/--idempotency-key: .*255/, 'push', 'one', '--idempotency-key', 'k'.repeat(256)],
      [/--producer: .*256/, 'push', 'one', '--producer', 'p'.repeat(257)],
      [/must be key=value/, ...list, '--metadata', 'foo'],
      [/must be key=value/, ...list, '--metadata', '=v'],
      [/given twice/, ...list, '--metadata', 'a=1', '--metadata', 'a=2'],
      [/--metadata: .*"a\.b" inside an object/, ...list, '--metadata', 'a.b=1'],
      [/must be a whole number/, ...list, '--limit', 'many'],
      [/--limit.*1000/, ...list, '--limit', '1001'],
      [/--status: /, ...list, '--status', 'sealed'],
      [/must be a time/, ...list, '--created-after', '7d'],
      [/"nightly" is not a UUID/, 'packages', 'show', 'nightly'],
    ] as const) {
      const { code, stdout, stderr } = await place.run(...args);
      assert.deepEqual([code, stdout], [2, ''], `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, said);
    }
    const listed = await place.json<{ readonly items: readonly unknown[] }>(
      ...list,
      '--finalized-after',
      '2020-01-01T00:00:00Z',
      '--metadata',
      'build=42',
    );
    assert.equal(listed.items.length, 1);
    assert.deepEqual(await place.json(...list, '--created-before', '2020-01-01T00:00:00Z'), { items: [], next_cursor: null });
  });

  test('the log and the views are whole after all this', async () => {
    const { sequence } = await place.json('replay');
    const verdict = await place.json('events', 'verify');
    assert.deepEqual(Object.keys(verdict), ['ok', 'sequence', 'chain_digest']);
    assert.equal(verdict.ok, true);
    assert.equal(verdict.sequence, sequence);
    const events = (await place.run('events', '--json')).stdout.trimEnd().split('\n');
    assert.deepEqual(
      events.map((line) => (JSON.parse(line) as { readonly sequence: number }).sequence),
      Array.from({ length: Number(sequence) }, (_, index) => index + 1),
    );
    const listed = await place.json<{ readonly items: readonly { readonly id: string }[] }>('packages', 'list', '--metadata', 'build=42');
    assert.deepEqual(
      listed.items.map(({ id }) => id),
      [pushed.package_id],
    );
  });
});
