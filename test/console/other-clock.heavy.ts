import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

const day = 86_400_000;

test("time is the server's where the clock of the browser is wrong", { skip: noBrowser }, async () => {
  await using view = await openConsole({ anonymousRead: true });
  const { page, door } = view;
  const record = await sealedPackage(door.registry, { 'a.txt': 'x' }, { retention_class: 'transient' });
  for (const off of [-60 * day, 60 * day]) {
    await page.clock.install({ time: Date.now() + off });
    const asked = page.waitForRequest(/expiring-packages/);
    await view.open();
    const until = Date.parse(new URL((await asked).url()).searchParams.get('until')!);
    assert.ok(Math.abs(until - (Date.now() + 7 * day)) <= 3_600_000, `${until - Date.now()}`);
    assert.ok(Math.abs(Number(await page.evaluate('Date.now()')) - Date.now()) > 59 * day, 'the clock of the browser is wrong');
    const leaving = page.getByRole('region', { name: 'Leaving within a week' });
    await leaving.getByRole('link', { name: record.name }).waitFor();
    await leaving.getByText('just now').waitFor();
    await leaving.getByRole('link', { name: record.name }).click();
    await page.getByText('as the class transient has it').first().waitFor();
  }
  view.assertNothingWrong();
});
