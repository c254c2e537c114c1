import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { dropFiles } from './drop-files.ts';
import { noBrowser, openConsole } from './open-console.ts';
import { type ServerBehindProxy, serverBehindProxy, workplaceToken } from './server-behind-proxy.ts';
import { newLarge, offsetOf, watchPieces, withDirectory } from './upload-pieces.ts';

test('an upload of the console continues when a server that was killed is back', { skip: noBrowser }, async () => {
  const directory = withDirectory();
  let server: ServerBehindProxy | undefined;
  try {
    await using view = await openConsole({
      async before(url) {
        server = await serverBehindProxy(url);
        return server.url;
      },
    });
    const { place, kill, start } = server!;
    const { page } = view;
    const large = newLarge();
    writeFileSync(directory.path('large.bin'), large);
    await page.goto(`${view.url}packages/new`);
    await view.signIn(workplaceToken);
    await page.getByLabel('Name', { exact: true }).fill('killed');
    await page.getByLabel('Producer').fill('ci');
    await page.getByRole('button', { name: 'Create it' }).click();
    await page.getByText('Drop files and folders here').waitFor();
    const from = watchPieces(page);
    let killed: Promise<void> | undefined;
    page.on('request', (request) => {
      // While the second piece is on its way.
      if (request.method() === 'PATCH' && offsetOf(request) > 0) killed ??= kill();
    });
    await dropFiles(page, directory.path('large.bin'));
    await page.getByRole('button', { name: 'Add 1 file' }).click();
    await page.getByText('What it has acknowledged stays').waitFor({ timeout: 30_000 });
    await killed;
    await view.assertAccessible();
    const sent = from.length;
    await start();
    await page.getByText('The file is stored, and its digest').waitFor({ timeout: 60_000 });
    assert.ok(from[sent]! > 0, from.join(' '));
    await page.getByRole('button', { name: 'Seal', exact: true }).click();
    await page.getByRole('button', { name: 'Seal it' }).click();
    await page.getByText('Sealed. The command below fetches it').waitFor();
    const id = new URL(page.url()).pathname.split('/').at(-1)!;
    const { code, stderr } = await place.run('pull', id, 'pulled');
    assert.equal(code, 0, stderr);
    assert.equal(Buffer.compare(readFileSync(place.path('pulled', 'large.bin')), large), 0);
  } finally {
    server?.[Symbol.dispose]();
    directory.remove();
  }
});
