import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openDoor, token } from '../../open-door.ts';

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
});
const client = readFileSync(fileURLToPath(new URL('../../../../../node_modules/tus-js-client/dist/tus.min.js', import.meta.url)));

/** Of another origin than the server: sends a file whole, in pieces, in parallel, and one after a stop. */
const page = `<!doctype html><script src="/tus.js"></script><script>
const { endpoint, token, packageId } = Object.fromEntries(new URLSearchParams(location.search));
const bytes = new Blob([new Uint8Array(2_500_000).map((_, index) => index % 251)]);
const send = (path, more, stops) => new Promise((resolve, reject) => {
  const upload = new tus.Upload(bytes, {
    endpoint, retryDelays: [0, 200, 400, 800], headers: { authorization: 'Bearer ' + token },
    metadata: { package_id: packageId, relative_path: path }, fingerprint: async () => path, ...more,
    onSuccess: () => resolve(upload.url), onError: reject,
    onChunkComplete: (size, accepted) => {
      if (!stops || accepted > 1_000_000) return;
      stops = false;
      upload.abort().then(() => upload.findPreviousUploads()).then(([previous]) => {
        upload.resumeFromPreviousUpload(previous);
        upload.start();
      });
    },
  });
  upload.start();
});
const told = (result) => fetch('/result', { method: 'POST', body: JSON.stringify(result) });
(async () => {
  await send('whole', {});
  await send('pieces', { chunkSize: 700_000 });
  await send('parallel', { parallelUploads: 3, chunkSize: 400_000 });
  await send('resumed', { chunkSize: 500_000 }, true);
})().then(() => told({ ok: true }), (error) => told({ error: String(error) }));
</script>`;

test('tus-js-client in a browser sends files from a page of another origin', {
  skip: chromium === undefined && 'no Chromium',
}, async () => {
  const result = Promise.withResolvers<string>();
  const pages = createServer((request, response) => {
    if (request.url === '/tus.js') return void response.writeHead(200, { 'content-type': 'text/javascript' }).end(client);
    if (request.url !== '/result') return void response.writeHead(200, { 'content-type': 'text/html' }).end(page);
    request.setEncoding('utf8').on('data', (text: string) => result.resolve(text));
    response.end();
  }).listen(0, '127.0.0.1');
  await once(pages, 'listening');
  const origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  const profile = mkdtempSync(join(tmpdir(), 'artifactstore-chromium-'));
  await using door = await openDoor({ corsOrigins: [origin] });
  const { id } = await door.newPackage();
  const asked = new URLSearchParams({ endpoint: `${door.url}/uploads`, token, packageId: id });
  const browser = spawn(
    chromium!,
    ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', `--user-data-dir=${profile}`, `${origin}/?${asked}`],
    { stdio: 'ignore' },
  );
  const closed = once(browser, 'close');
  try {
    const timer = setTimeout(() => result.reject(new Error('the page said nothing for 3 minutes')), 180_000);
    const said = await result.promise.finally(() => clearTimeout(timer));
    assert.deepEqual(JSON.parse(said), { ok: true });
    const expected = Buffer.from(new Uint8Array(2_500_000).map((_, index) => index % 251));
    for (const path of ['whole', 'pieces', 'parallel', 'resumed']) {
      const read = await door.call(`/packages/${id}/files/${path}`);
      assert.equal(Buffer.compare(Buffer.from(await read.arrayBuffer()), expected), 0, path);
    }
  } finally {
    browser.kill('SIGKILL');
    await closed;
    pages.closeAllConnections();
    pages.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
});
