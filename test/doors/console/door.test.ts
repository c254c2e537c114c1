import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { assertProblem, type Door, openDoor } from '../rest/open-door.ts';

const folder = mkdtempSync(join(tmpdir(), 'artifactstore-console-'));
const script = 'console.log("the console");';

describe('the console over HTTP', () => {
  let door: Door;

  before(async () => {
    mkdirSync(join(folder, 'assets'));
    for (const [name, text] of [
      ['index.html', '<!doctype html><base href="./" /><script type="module" src="assets/main-AAAA.js"></script>'],
      ['licenses.txt', 'whose it is'],
      ['assets/main-AAAA.js', script],
      ['assets/main-AAAA.js.br', 'as brotli'],
      ['assets/main-AAAA.js.gz', 'as gzip'],
      ['assets/icon-BBBB.svg', '<svg/>'],
    ] as const)
      writeFileSync(join(folder, name), text);
    door = await openDoor({
      consoleDirectory: pathToFileURL(`${folder}/`),
      prefix: { basePath: '/artifacts', trustForwardedPrefix: false },
    });
  });
  after(async () => {
    await door[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
    fetch(`${door.url}${path}`, { headers: { 'accept-encoding': 'identity', ...headers }, method, redirect: 'manual' });

  test('its page answers every address that names no file, with the way back, and asks for no token', async () => {
    for (const [path, base] of [
      ['/console/', './'],
      ['/console/packages?producer=ci', './'],
      ['/console/packages/', '../'],
      ['/console/packages/1/files/a%2Fb/c.txt', '../../../../'],
      ['/artifacts/console/packages/1', '../'],
    ] as const) {
      const answer = await get(path);
      assert.equal(answer.status, 200, path);
      assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8');
      assert.equal(answer.headers.get('cache-control'), 'no-cache');
      assert.ok((await answer.text()).includes(`<base href="${base}" />`), path);
    }
  });

  test('its page may load what is its own, and nothing else', async () => {
    const { headers } = await get('/console/');
    const policy = headers.get('content-security-policy')!.split('; ');
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      'frame-src blob:',
      "frame-ancestors 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
    ])
      assert.ok(policy.includes(part), part);
    assert.doesNotMatch(policy.join(), /unsafe|\*|https?:|data:/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin');
  });

  test('without the slash at its end it leads there, wherever a proxy has put it', async () => {
    for (const [path, location] of [
      ['/console', 'console/'],
      ['/artifacts/console?q=1', 'console/?q=1'],
    ] as const) {
      const answer = await get(path);
      assert.deepEqual([answer.status, answer.headers.get('location')], [302, location]);
    }
  });

  test('files with a digest in their name are kept forever, in the shortest form that the client takes', async () => {
    for (const [accepted, encoding, text] of [
      ['identity', null, script],
      ['gzip, deflate', 'gzip', undefined],
      ['gzip, br', 'br', undefined],
      ['br;q=0, gzip;q=0.5', 'gzip', undefined],
    ] as const) {
      const answer = await headOf('/console/assets/main-AAAA.js', accepted);
      assert.equal(answer['content-encoding'] ?? null, encoding);
      assert.equal(answer['cache-control'], 'public, max-age=31536000, immutable');
      assert.match(String(answer.vary), /accept-encoding/);
      assert.equal(answer['content-length'], String((text ?? (encoding === 'br' ? 'as brotli' : 'as gzip')).length));
    }
    const plain = await get('/console/assets/icon-BBBB.svg', { 'accept-encoding': 'br' });
    assert.deepEqual([plain.headers.get('content-encoding'), plain.headers.get('content-type')], [null, 'image/svg+xml']);
    assert.equal((await get('/console/licenses.txt')).headers.get('cache-control'), 'no-cache');
  });

  test('is told by HEAD, and known by its tag', async () => {
    for (const path of ['/console/', '/console/assets/main-AAAA.js']) {
      const whole = await get(path);
      const head = await get(path, {}, 'HEAD');
      assert.equal(await head.text(), '');
      for (const name of ['content-length', 'content-type', 'etag', 'cache-control'])
        assert.equal(head.headers.get(name), whole.headers.get(name), name);
      assert.equal((await get(path, { 'if-none-match': whole.headers.get('etag')! })).status, 304);
    }
    const one = (await get('/console/')).headers.get('etag');
    assert.notEqual((await get('/console/packages/1')).headers.get('etag'), one);
  });

  test('a file that is not there is a problem, and no name leads out of the folder', async () => {
    await assertProblem(await get('/console/assets/main-OLD.js'), 404, 'route_not_found');
    await assertProblem(await get('/console/assets/'), 404, 'route_not_found');
    for (const path of [
      '/console/assets/..%2f..%2fpackage.json',
      '/console/assets/%2e%2e/%2e%2e/package.json',
      '/console/assets/main-AAAA.js.gz',
    ])
      assert.equal((await get(path)).status, 404, path);
    assert.equal((await get('/console/', {}, 'POST')).status, 405);
    assert.equal((await get('/consoles')).status, 404);
  });

  test('what was not built is said so, and the registry answers', async () => {
    await using without = await openDoor({ consoleDirectory: pathToFileURL(`${folder}/nowhere/`) });
    const problem = await assertProblem(await fetch(`${without.url}/console/`), 404, 'route_not_found');
    assert.match(String(problem.detail), /npm run prepare/);
    assert.equal((await fetch(`${without.url}/health`)).status, 200);
  });

  test('the server says where it is', async () => {
    const banner = (await (await get('/')).json()) as { readonly console: string };
    assert.equal(banner.console, '/artifacts/console/');
  });

  /** `fetch` would undo the encoding. */
  async function headOf(path: string, accepted: string): Promise<Record<string, unknown>> {
    return await new Promise((resolve, reject) => {
      request(`${door.url}${path}`, { headers: { 'accept-encoding': accepted } }, (answer) => {
        answer.resume();
        resolve(answer.headers);
      })
        .on('error', reject)
        .end();
    });
  }
});
