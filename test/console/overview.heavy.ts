import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AccessStatus } from '../../src/identity/IDENTITY.ts';
import { formatTimestamp } from '../../src/kernel/time.ts';
import type { Usage } from '../../src/registry/REGISTRY.ts';
import { narrowIdentity, narrowToken } from './narrow-identity.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

test('the overview and the storage say that all is well only as far as it is known', { skip: noBrowser, timeout: 240_000 }, async () => {
  const narrow = await narrowIdentity({ role: 'reader', producers: [{ exact: 'ci' }] });
  let status: AccessStatus | undefined;
  const identity = { ...narrow, status: () => status };
  await using view = await openConsole({ identity, browser: { viewport: { width: 360, height: 740 } } });
  const { page, door } = view;
  const good = page.locator('.verdict-good').getByText('Everything works');
  await page.goto(view.url);
  await page.getByLabel('Keep it until this tab is closed').check();
  await view.signIn();
  await good.waitFor();
  await page.getByText('Nothing is stored yet.').waitFor();

  await sealedPackage(door.registry, { 'a.txt': 'x' });
  await untilShown(view, '', page.locator('.verdict-part').getByText('No fault is known, but not everything is known'));
  await page.getByText('local was never verified as a whole').waitFor();
  await page.getByText('No backup by this registry is known').waitFor();
  assert.equal(await good.count(), 0);
  await view.assertAccessible();
  await page.getByRole('link', { name: 'What to do' }).click();
  await page.getByText('artifactstore storage verify --backend local').waitFor();
  await page.getByText('artifactstore backup DIRECTORY').waitFor();
  assert.equal(await page.getByText('Nothing needs to be done').count(), 0);
  await view.assertAccessible();

  await door.store.operator.verifyStorage('local');
  await untilShown(
    view,
    '',
    page.locator('.verdict-part', { hasNotText: 'never verified' }).getByText('No backup by this registry is known'),
  );
  assert.equal(await good.count(), 0);
  await door.store.operator.backup(join(door.store.directory, 'a-backup'));
  await untilShown(view, '', good);
  await page.getByText('The last verification ended').waitFor();
  await page.getByText('From 30 days after the verification of a backend, or 7 after the backup').waitFor();
  await untilShown(view, 'storage', page.getByText('Nothing needs to be done'));

  // What was so long ago is not known to be so now.
  const longAgo = page.locator('.verdict-part');
  await endedDaysAgo(page, { verification: 29.5, backup: 8.5 });
  await view.open();
  await longAgo.getByText('The last backup by this registry ended 8 days ago').waitFor();
  assert.equal(await longAgo.getByText('was last verified').count(), 0);
  assert.equal(await good.count(), 0);
  await view.assertAccessible();
  await endedDaysAgo(page, { verification: 31.5, backup: 6.5 });
  await view.open();
  await longAgo.getByText('local was last verified as a whole 31 days ago').waitFor();
  assert.equal(await longAgo.getByText('The last backup').count(), 0);
  assert.equal(await good.count(), 0);
  await page.getByRole('link', { name: 'What to do' }).click();
  await page.getByText('local was last verified as a whole 31 days ago. A verification reads every object').waitFor();
  await page.getByText('artifactstore storage verify --backend local').waitFor();
  assert.equal(await page.getByText('Nothing needs to be done').count(), 0);
  await view.assertAccessible();
  await endedDaysAgo(page, { verification: 29.5, backup: 6.5 });
  await view.open();
  await good.waitFor();
  await page.getByText('The last verification ended 4 weeks ago, the last backup 6 days ago.').waitFor();
  await page.unroute(usage);

  // What makes the health bad is named, and never without a word about what to do.
  const issuer = { issuer: 'https://issuer.example', failure: 'it did not answer', keys: 0, read_at: null };
  status = { path: 'access.toml', loaded_at: formatTimestamp(Date.now()), refused: 'line 3: no such role', issuers: [issuer] };
  await untilShown(view, '', page.locator('.verdict-bad').getByText('Access file: line 3: no such role'));
  await page.locator('.verdict-bad').getByText('https://issuer.example: it did not answer').waitFor();
  await page.getByRole('link', { name: 'What to do' }).click();
  await page.getByText('The access file as it is now is not in force').waitFor();
  await page.getByText('The keys of https://issuer.example cannot be had').waitFor();
  assert.equal(await page.getByText('Nothing needs to be done').count(), 0);
  await view.assertAccessible();
  status = undefined;

  // While the numbers are counted, or where they cannot be had, nothing more is said than what answers.
  view.expectRefusals();
  await page.route(usage, (route) => route.fulfill({ status: 503, contentType: 'application/json', body: '{}' }));
  await view.open();
  await page.getByText('a backup was made, could not be asked').waitFor();
  assert.equal(await good.count(), 0);
  await view.open('storage');
  await page.getByText('when bytes were verified and backed up could not be asked').waitFor();
  assert.equal(await page.getByText('Nothing needs to be done').count(), 0);
  await page.unroute(usage);

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Token').waitFor();
  await page.goto(view.url);
  await view.signIn(narrowToken);
  await page.getByText('is shown to those with the right to observe the registry').waitFor();
  assert.equal(await good.count(), 0);
  await view.assertAccessible();
  view.assertNothingWrong();
});

const usage = '**/usage';

/** From now on the numbers tell that the last runs ended so long ago; all else is as the server says. */
async function endedDaysAgo(page: Console['page'], days: { readonly verification: number; readonly backup: number }): Promise<void> {
  const before = (count: number) => ({ finished_at: new Date(Date.now() - count * 86_400_000).toISOString() });
  await page.unroute(usage);
  await page.route(usage, async (route) => {
    const told = (await (await route.fetch()).json()) as Usage;
    const backends = told.backends.map((each) => ({
      ...each,
      last_verification: each.last_verification && { ...each.last_verification, ...before(days.verification) },
    }));
    await route.fulfill({
      json: { ...told, backends, last_backup: told.last_backup && { ...told.last_backup, ...before(days.backup) } },
    });
  });
}

/** Loads a page until it shows something: what a server has counted it may tell for a while. */
async function untilShown({ open, page }: Console, path: string, wanted: ReturnType<Console['page']['locator']>): Promise<void> {
  for (let tries = 0; ; tries++) {
    await open(path);
    await page.locator('.loading').first().waitFor({ state: 'detached' });
    try {
      return await wanted.first().waitFor({ timeout: tries < 10 ? 1_000 : 10_000 });
    } catch (error) {
      if (tries === 10) throw error;
    }
  }
}
