import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evilName, narrowIdentity, narrowToken } from './narrow-identity.ts';
import { noBrowser, openConsole } from './open-console.ts';

test('says who somebody is, what they may do, why, and of which role the rest would be', { skip: noBrowser }, async () => {
  const writer = { role: 'writer', producers: [{ exact: 'ci' }, { glob: 'acme-*' }] } as const;
  const evil = { role: 'keeper', producers: [{ exact: evilName }] } as const;
  await using view = await openConsole({ identity: await narrowIdentity(writer, evil) });
  const { page } = view;
  await page.goto(`${view.url}access?producer=acme-app`);
  await view.signIn(narrowToken);
  await page.getByText(evilName).first().waitFor();
  const row = (label: string, right: string) =>
    page.getByRole('region', { name: label }).getByRole('row').filter({ hasText: right }).first();
  const all = 'Each right, whether you have it, and where it is from';
  const there = 'What you may do with packages of acme-app';
  assert.match((await row(all, 'Write').textContent()) ?? '', /In part[\s\S]*ci, acme-\*[\s\S]*of the role writer/);
  assert.match((await row(all, 'Observe').textContent()) ?? '', /No[\s\S]*role admin would give it/);
  assert.match((await row(there, 'Write').textContent()) ?? '', /Yes[\s\S]*acme-\*[\s\S]*writer/);
  assert.match((await row(there, 'Keep').textContent()) ?? '', /No[\s\S]*role keeper, admin would give it/);
  await view.assertAccessible();

  await page.getByLabel('Producer').fill(evilName);
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: `What you may do with packages of ${evilName}` }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get('producer'), evilName);
  await page.getByText('Do the same in a terminal').click();
  await page.getByText('artifactstore whoami').waitFor();
  await page.setViewportSize({ width: 360, height: 700 });
  assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 360);
  await view.assertAccessible();
  view.assertNothingWrong();
});
