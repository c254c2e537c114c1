import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { openWorkplace } from '../cli/workplace.ts';
import { token } from '../doors/rest/open-door.ts';
import { dropFiles } from './drop-files.ts';
import { noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

/** What is in the clipboard after a press on a button that copies. */
async function copied(page: Page, name: string): Promise<string> {
  await page.getByRole('button', { name }).first().click();
  await page.getByRole('status').getByText('Copied').waitFor({ state: 'attached' });
  return await page.evaluate<string>('navigator.clipboard.readText()');
}

test('who has an address and a token finds, verifies, understands, holds, uploads and pulls', { skip: noBrowser }, async () => {
  await using view = await openConsole();
  const { page, door } = view;
  using place = openWorkplace({ ARTIFACTSTORE_API_TOKEN: token });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const record = await sealedPackage(door.registry, { 'report.json': '{"ok":true}', 'logs/build.log': 'built' });

  // The address and the token.
  await page.goto(view.url);
  await view.signIn();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();

  // Finds a package by a file's SHA-256.
  await page.getByLabel('Search').fill(createHash('sha256').update('{"ok":true}').digest('hex'));
  await page.keyboard.press('Enter');
  await page.getByText('Files with these bytes').waitFor();
  await page.getByRole('link', { name: 'report.json' }).click();

  // Verifies it in the browser.
  await page.getByRole('button', { name: 'Verify in this browser' }).click();
  await page.getByText('It is what was sealed').waitFor();

  // Sees why it is kept, and until when.
  await page.getByRole('link', { name: 'Why, and until when' }).click();
  await page.getByText('as the class raw-evidence has it').first().waitFor();
  await page.getByText('the next collection then deletes its bytes').waitFor();

  // Holds it.
  await page.getByRole('button', { name: 'Hold', exact: true }).click();
  await page.getByLabel('Reason').fill('the audit of November');
  await page.getByRole('button', { name: 'Hold it' }).click();
  await page.getByText('Held: nothing of it is deleted until the hold is released').first().waitFor();
  await page.getByRole('list', { name: 'Holds in force' }).getByText('the audit of November').waitFor();
  assert.equal((await door.registry.retention.show(record.id)).holds[0]!.reason, 'the audit of November');

  // Uploads a folder.
  const files = { 'results/junit.xml': '<testsuite/>', 'results/logs/ö & <b>.txt': 'log', 'results/large.bin': randomBytes(6_000_000) };
  place.write(files);
  await page.getByRole('navigation').getByRole('link', { name: 'Packages' }).click();
  await page.getByRole('link', { name: 'New package' }).click();
  await page.getByLabel('Name', { exact: true }).fill('results of November');
  await page.getByLabel('Producer').fill('ci');
  await page.getByRole('button', { name: 'Create it' }).click();
  await page.getByText('Drop files and folders here').waitFor();
  await dropFiles(page, place.path('results'));
  await page.getByRole('button', { name: 'Add 3 files' }).click();
  await page.getByText('All 3 files are stored').waitFor();
  await page.getByText('Seal it above when it has all its files').waitFor();
  await page.getByRole('button', { name: 'Seal', exact: true }).click();
  await page.getByRole('button', { name: 'Seal it' }).click();
  await page.getByText('Sealed. The command below fetches it').waitFor();
  await view.assertAccessible();
  await page.getByText('Seal it above').waitFor({ state: 'detached' });
  await page.getByText('a token in ARTIFACTSTORE_API_TOKEN').waitFor();

  // Copies the command that pulls it, which then does.
  const command = await copied(page, 'Copy the command that pulls it');
  assert.match(command, /^artifactstore pull [0-9a-f-]{36} \.\/results-of-November --api-url http/);
  const { code, stderr } = await place.shell(command.replace(/^artifactstore/, '$A'));
  assert.equal(code, 0, stderr);
  for (const [path, content] of Object.entries(files))
    assert.equal(Buffer.compare(readFileSync(join(place.path('results-of-November'), path)), Buffer.from(content)), 0, path);
  view.assertNothingWrong();
});

test('all of it by the keyboard: make, add a folder, seal, hold, copy the command, find, verify', { skip: noBrowser }, async () => {
  await using view = await openConsole();
  const { page, door } = view;
  using place = openWorkplace({ ARTIFACTSTORE_API_TOKEN: token });
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  place.write({ 'chosen/a.txt': 'a', 'chosen/deep/b.txt': 'b' });
  page.on('filechooser', (chooser) => void chooser.setFiles(place.path('chosen')));
  /** Tab, until what has the focus is called so. */
  const tabTo = async (name: string): Promise<void> => {
    for (let step = 0; step < 60; step++) {
      await page.keyboard.press('Tab');
      const found = await page.evaluate<string>(
        `(() => { const { activeElement: e } = document;
          return e.getAttribute('aria-label') ?? (e.labels?.[0]?.textContent || e.textContent).trim(); })()`,
      );
      if (found === name) return;
    }
    assert.fail(`the focus does not reach ${name}`);
  };
  await page.goto(`${view.url}packages/new`);
  await page.getByLabel('Token').waitFor();
  await page.keyboard.type(`${token}\n`);
  await page.getByRole('heading', { name: 'New package' }).waitFor();
  await tabTo('Name');
  await page.keyboard.type('by keys');
  await tabTo('Producer');
  await page.keyboard.type('ci\n');
  await page.getByRole('heading', { name: 'by keys' }).waitFor();
  await tabTo('Choose a folder');
  await page.keyboard.press('Enter');
  await page.locator('.staged-title:focus').waitFor();
  await tabTo('Add 2 files');
  await page.keyboard.press('Enter');
  await page.getByText('All 2 files are stored').waitFor();
  await page.getByRole('button', { name: 'Seal', exact: true }).waitFor();
  await tabTo('Skip to the content');
  await tabTo('Seal');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await tabTo('Seal it');
  await page.keyboard.press('Enter');
  await page.locator('.notice:focus').waitFor();
  await tabTo('Skip to the content');
  await tabTo('Hold');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.type('held by keys');
  await tabTo('Hold it');
  await page.keyboard.press('Enter');
  await page.getByRole('status').getByText('The hold “held by keys” was applied.').waitFor();
  await page.locator('.notice:focus').waitFor();
  const { items } = await door.registry.packages.list({ producer: 'ci' });
  assert.equal(items[0]!.status, 'finalized');
  assert.equal((await door.registry.retention.show(items[0]!.id)).holds[0]!.reason, 'held by keys');

  await page.keyboard.press('Escape');
  await tabTo('Copy the command that pulls it');
  await page.keyboard.press('Enter');
  await page.getByRole('status').getByText('Copied').waitFor({ state: 'attached' });
  const command = await page.evaluate<string>('navigator.clipboard.readText()');
  const { code, stderr } = await place.shell(command.replace(/^artifactstore/, '$A'));
  assert.equal(code, 0, stderr);

  await tabTo('Skip to the content');
  await tabTo('Search');
  await page.keyboard.type(`${createHash('sha256').update('b').digest('hex')}\n`);
  await page.getByText('Files with these bytes').waitFor();
  await tabTo('chosen/deep/b.txt');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'b.txt' }).waitFor();
  await tabTo('Verify in this browser');
  await page.keyboard.press('Enter');
  await page.getByText('It is what was sealed').waitFor();
  await tabTo('Skip to the content');
  await tabTo('by keys');
  await page.keyboard.press('Enter');
  await page.getByText('Held: nothing of it is deleted until the hold is released').first().waitFor();
  view.assertNothingWrong();
});
