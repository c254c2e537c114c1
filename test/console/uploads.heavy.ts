import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evilName } from './narrow-identity.ts';
import { noBrowser, openConsole } from './open-console.ts';

test('says how much is on its way, and where a write session is', { skip: noBrowser }, async () => {
  await using view = await openConsole();
  const { page, door } = view;
  const upload = await door.registry.uploads!.begin({ size_bytes: 5_000_000 });
  await door.registry.uploads!.append(upload.id, 0, threeBytes());
  const { record } = await door.registry.writeSessions!.open(
    {
      scope: 'deploy',
      producer: 'ci',
      subject: 'nightly',
      namespace: evilName,
      retention_class: 'raw-evidence',
      objects: [{ name: `${evilName}.txt`, sha256: 'a'.repeat(64), size_bytes: 70_000 }],
      ttl_seconds: 3_600,
    },
    { idempotencyKey: 'one' },
  );
  await page.goto(`${view.url}uploads`);
  await view.signIn();
  const uploads = page.getByRole('region', { name: 'Open uploads', exact: true }).getByRole('row').last();
  await uploads.getByText('not named yet').waitFor();
  assert.match((await uploads.textContent()) ?? '', /^not named yet.*3 bytesof 4\.8 MiB.*(?:just now|ago).*Abandon$/);
  const open = page.getByRole('region', { name: 'Open uploads and write sessions' });
  await open.getByText('announced').waitFor();
  assert.match((await open.getByRole('row').last().textContent()) ?? '', /^local1.*1.*68\.4 KiB announced$/);
  await page.getByRole('link', { name: evilName }).click();
  assert.equal(await page.getByLabel('Id of the write session').inputValue(), record.id);
  await page.getByText('0 of 1 are there').waitFor();
  await page.getByText(`${evilName}.txt`).waitFor();
  await view.assertAccessible();
  await page.setViewportSize({ width: 360, height: 740 });
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 360);
  await view.assertAccessible();
  view.assertNothingWrong();

  // By the keyboard alone, and only after the question.
  await page.getByRole('button', { name: `Abandon upload ${upload.id}` }).focus();
  await page.keyboard.press('Enter');
  const question = page.getByRole('dialog', { name: 'Abandon this upload?' });
  await question.getByText(`artifactstore uploads abandon ${upload.id}`).waitFor();
  await view.assertAccessible();
  await page.keyboard.press('Escape');
  assert.equal((await door.registry.uploads!.list()).items.length, 1);
  await page.getByRole('button', { name: `Abandon upload ${upload.id}` }).click();
  await question.getByRole('button', { name: 'Abandon it' }).click();
  await page.getByText('No upload is open').waitFor();
  assert.equal(await door.registry.uploads!.status(upload.id), undefined);
  await page.getByRole('button', { name: `Abort write session ${record.id}` }).click();
  await page.getByRole('button', { name: 'Abort it' }).click();
  await page.getByText('No write session is open').waitFor();
  assert.equal((await door.registry.writeSessions.status(record.id))?.state, 'aborted');
  await view.assertAccessible();
  view.assertNothingWrong();
});

test('takes a page without items for no end of a list', { skip: noBrowser }, async () => {
  await using view = await openConsole();
  const { page, door } = view;
  const upload = await door.registry.uploads!.begin({ size_bytes: 5 });
  // As where all that was looked at so far had expired.
  await page.route(/\/uploads\?limit=50$/, (route) => route.fulfill({ json: { items: [], next_cursor: 'further' } }));
  await page.route(/\/uploads\?.*cursor=further/, async (route) => {
    await route.continue({ url: route.request().url().replace('&cursor=further', '') });
  });
  await page.goto(`${view.url}uploads`);
  await view.signIn();
  await page.getByRole('button', { name: `Abandon upload ${upload.id}` }).waitFor();
  assert.equal(await page.getByText('No upload is open').count(), 0);
  view.assertNothingWrong();
});

async function* threeBytes(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('abc');
}
