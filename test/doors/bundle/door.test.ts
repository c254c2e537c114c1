import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, rmdirSync, rmSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createCheckedFiles } from '../../../src/bundle/checked-file.ts';
import { openServedBundles } from '../../../src/bundle/served-bundles.ts';
import { createBundleDoor } from '../../../src/doors/bundle/door.ts';
import { createEngine, type Engine } from '../../../src/http/engine.ts';
import { createLog } from '../../../src/http/log.ts';
import { type BundleFolder, manifestOf, openBundleFolder, sha256Of } from '../../bundle/bundle-folder.ts';
import { drain } from '../rest/open-door.ts';

const large = Buffer.alloc(2_500_000, '0123456789');

describe('the artifacts of bundles over HTTP', () => {
  let folder: BundleFolder;
  let engine: Engine;
  let url: string;

  before(async () => {
    folder = openBundleFolder();
    folder.bundle({ 'one.tar': 'the first', 'dir/large.bin': large, empty: '' });
    folder.write({ 'not-named.txt': 'secret' });
    engine = createEngine({ log: createLog({ level: 'silent', stream: { write: () => undefined } }), secrets: [] });
    const bundles = openServedBundles(folder.directory);
    await engine.mount([createBundleDoor(engine.context, { directory: folder.directory, bundles, files: createCheckedFiles() })]);
    url = await engine.listen('127.0.0.1', 0);
  });
  after(async () => {
    await engine.close();
    folder[Symbol.dispose]();
  });

  const get = (path: string, init: RequestInit = {}) => fetch(`${url}${path}`, init);
  const at = (content: string | Uint8Array, name = '') => `/objects/sha256:${sha256Of(content)}${name}`;
  const codeOf = async (answer: Response) => ((await answer.json()) as { readonly code: string }).code;
  const raw = async (text: string): Promise<string> => {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
    socket.write(text);
    return await drain(socket);
  };

  test('are read by their digest, with the name of the file or without', async () => {
    for (const path of [at('the first'), at('the first', '/one.tar'), at('the first', '/one.tar?')]) {
      const answer = await get(path);
      assert.equal(answer.status, 200);
      assert.equal(await answer.text(), 'the first');
      assert.equal(answer.headers.get('etag'), `"sha256:${sha256Of('the first')}"`);
      assert.equal(answer.headers.get('content-length'), '9');
      assert.equal(answer.headers.get('content-disposition'), 'attachment; filename="one.tar"');
      assert.match(answer.headers.get('cache-control')!, /immutable/);
      assert.equal(answer.headers.get('repr-digest'), `sha-256=:${createHash('sha256').update('the first').digest('base64')}:`);
    }
    assert.equal(Buffer.compare(Buffer.from(await (await get(at(large, '/large.bin'))).arrayBuffer()), large), 0);
    assert.equal(await (await get(at('', '/empty'))).text(), '');
  });

  test('are told by HEAD, and known by their tag', async () => {
    const head = await get(at(large), { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '2500000', '']);
    const tag = head.headers.get('etag')!;
    assert.equal((await get(at(large), { headers: { 'if-none-match': tag } })).status, 304);
    assert.equal((await get(at(large), { headers: { 'if-match': '"other"' } })).status, 412);
  });

  test('are read in parts', async () => {
    for (const [range, status, from, to] of [
      ['bytes=0-0', 206, 0, 1],
      ['bytes=1048570-1048580', 206, 1_048_570, 1_048_581],
      ['bytes=-3', 206, 2_499_997, 2_500_000],
      ['bytes=2499999-', 206, 2_499_999, 2_500_000],
      ['bytes=0-1,3-4', 200, 0, 2_500_000],
    ] as const) {
      const answer = await get(at(large), { headers: { range } });
      assert.equal(answer.status, status, range);
      assert.equal(Buffer.compare(Buffer.from(await answer.arrayBuffer()), large.subarray(from, to)), 0, range);
      if (status === 206) assert.equal(answer.headers.get('content-range'), `bytes ${from}-${to - 1}/2500000`);
    }
    const beyond = await get(at(large), { headers: { range: 'bytes=2500000-' } });
    assert.deepEqual([beyond.status, beyond.headers.get('content-range')], [416, 'bytes */2500000']);
    const stale = await get(at(large), { headers: { range: 'bytes=0-0', 'if-range': '"other"' } });
    assert.equal((await stale.arrayBuffer()).byteLength, large.length);
  });

  test('are all that there is: nothing is listed, nothing else is given, nothing is taken', async () => {
    for (const path of ['/', '/objects', '/bundle.json', '/one.tar', '/not-named.txt', '/metrics', '/docs/', '/packages'])
      assert.deepEqual([(await get(path)).status, await codeOf(await get(path))], [404, 'route_not_found'], path);
    for (const [path, status, code] of [
      ['/objects/', 400, 'invalid_path'],
      [at('secret', '/not-named.txt'), 404, 'object_not_found'],
      [at('the first', '/another.tar'), 404, 'object_not_found'],
      [at('the first', '/one.tar/more'), 404, 'route_not_found'],
      [at('the first', '/..%2fbundle.json'), 400, 'invalid_path'],
      [at('the first', '/%00'), 400, 'invalid_path'],
      [at('the first', '?archive=false'), 400, 'unknown_parameter'],
      ['/objects/one.tar', 400, 'invalid_address'],
      [`/objects/blake3:${'0'.repeat(64)}`, 404, 'object_not_found'],
    ] as const) {
      const answer = await get(path);
      assert.deepEqual([answer.status, await codeOf(answer)], [status, code], path);
    }
    assert.match(
      await raw('GET /objects/../bundle.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
      /^HTTP\/1.1 400 .*"invalid_path"/s,
    );
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const answer = await get(at('the first'), { method });
      assert.deepEqual([answer.status, await codeOf(answer)], [405, 'method_not_allowed'], method);
      assert.match(answer.headers.get('allow')!, /^(GET, HEAD|HEAD, GET)$/);
    }
  });

  test('are for whoever asks this machine by a name of its own', async () => {
    const asked = (host: string) => raw(`GET ${at('the first')} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    for (const host of ['localhost:7380', '127.0.0.1', '[::1]:1']) assert.match(await asked(host), /^HTTP\/1.1 200 /, host);
    for (const host of ['example.org', '127.0.0.1.example.org', '192.0.2.1', 'localhost.example.org']) {
      const answer = await asked(host);
      assert.match(answer, /^HTTP\/1.1 403 .*"forbidden"/s, host);
      assert.doesNotMatch(answer, /ARTIFACTSTORE_/);
    }
  });

  test('that are damaged, missing or a link are never given, and the answer says no place of this machine', async () => {
    folder.bundle(
      { 'bad/damaged': 'damage', 'bad/shorter': 'shorter', 'bad/missing': 'missing', 'bad/link': 'secret' },
      { name: 'bad' },
      'bad.bundle.json',
    );
    folder.write({ 'bad/damaged': 'DAMAGE', 'bad/shorter': 'short' });
    rmSync(folder.path('bad/missing'));
    rmSync(folder.path('bad/link'));
    symlinkSync(folder.path('not-named.txt'), folder.path('bad/link'));
    for (const content of ['damage', 'shorter', 'missing', 'secret']) {
      const answer = await get(at(content));
      const text = await answer.text();
      assert.equal(answer.status, 500, content);
      assert.equal((JSON.parse(text) as { readonly code: string }).code, 'integrity_failure');
      assert.ok(!text.includes(folder.directory), text);
      assert.equal((await get(at(content), { method: 'HEAD' })).status, 500);
    }
  });

  test('of a bundle that comes, changes or goes are as its manifest is now', async () => {
    assert.equal((await get(at('new'))).status, 404);
    folder.bundle({ new: 'new' }, { name: 'second' }, 'second.bundle.json');
    assert.equal((await get(at('new'))).status, 200);
    folder.write({ 'second.bundle.json': '{"format": "arti' });
    const unknown = await get(at('new'));
    assert.deepEqual([unknown.status, await codeOf(unknown)], [503, 'storage_unavailable']);
    assert.equal((await get(at('the first'))).status, 200, 'other bundles are served');
    folder.write({ 'second.bundle.json': JSON.stringify(manifestOf({ newer: 'new' }, { name: 'second' })) });
    assert.equal((await get(at('new', '/newer'))).status, 500, 'it lies at its new name, and is not there');
    rmSync(folder.path('second.bundle.json'));
    assert.equal((await get(at('new'))).status, 404);
  });

  test('are not said to be missing while the disk that has them is away', async () => {
    const away = `${folder.directory}.away`;
    renameSync(folder.directory, away);
    try {
      for (const emptied of [false, true]) {
        if (emptied) mkdirSync(folder.directory);
        const answer = await get(at('the first'));
        const text = await answer.text();
        assert.deepEqual([answer.status, (JSON.parse(text) as { readonly code: string }).code], [503, 'storage_unavailable']);
        assert.ok(!text.includes(folder.directory), text);
      }
      rmdirSync(folder.directory);
    } finally {
      renameSync(away, folder.directory);
    }
    assert.equal((await get(at('the first'))).status, 200);
  });
});
