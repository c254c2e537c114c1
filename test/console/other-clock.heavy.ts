import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

const hour = 3_600_000;
const day = 24 * hour;

test("time is the server's where the clock of the browser is wrong", { skip: noBrowser }, async () => {
  await using view = await openConsole({ anonymousRead: true });
  const { page, door } = view;
  const record = await sealedPackage(door.registry, { 'a.txt': 'x' }, { retention_class: 'transient' });
  for (const off of [-60 * day, 60 * day]) {
    await page.clock.install({ time: Date.now() + off });
    const asked = page.waitForRequest(/expiring-packages/);
    await view.open();
    const until = Date.parse(new URL((await asked).url()).searchParams.get('until')!);
    // It is to the hour, by a clock that is told to the second.
    assert.ok(Math.abs(until - (Date.now() + 7 * day)) <= 2 * hour, `${until - Date.now()}`);
    assert.ok(Math.abs(Number(await page.evaluate('Date.now()')) - Date.now()) > 59 * day, 'the clock of the browser is wrong');
    const leaving = page.getByRole('region', { name: 'Leaving within a week' });
    await leaving.getByRole('link', { name: record.name }).waitFor();
    await leaving.getByText(/^(?:just now|\d+ minutes? ago)$/).waitFor();
    await leaving.getByRole('link', { name: record.name }).click();
    await page.getByText('as the class transient has it').first().waitFor();
  }
  view.assertNothingWrong();
});
