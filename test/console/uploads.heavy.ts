import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evilName } from './narrow-identity.ts';
import { noBrowser, openConsole } from './open-console.ts';

test('says how much is on its way, and where a write session is', { skip: noBrowser }, async () => {
  await using view = await openConsole();
  const { page, door } = view;
  await door.registry.uploads!.begin({ size_bytes: 5_000_000 });
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
  const open = page.getByRole('region', { name: 'Open uploads and write sessions' });
  await open.getByText('announced').waitFor();
  assert.match((await open.getByRole('row').last().textContent()) ?? '', /^local1.*1.*68\.4 KiB announced$/);
  await page.getByLabel('Its id').fill(record.id);
  await page.keyboard.press('Enter');
  await page.getByText('0 of 1 are there').waitFor();
  await page.getByText(`${evilName}.txt`).waitFor();
  await view.assertAccessible();
  await page.setViewportSize({ width: 360, height: 740 });
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 360);
  await view.assertAccessible();
  view.assertNothingWrong();
});
