import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import { actor } from '../doors/rest/open-door.ts';
import { dropFiles } from './drop-files.ts';
import { evilName, type NarrowIdentity, narrowIdentity, narrowToken } from './narrow-identity.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { newLarge, offsetOf, withDirectory } from './upload-pieces.ts';

describe('an upload of one person, and the next who signs in in the same tab', { skip: noBrowser }, () => {
  let view: Console;
  let identity: NarrowIdentity;
  let large: Buffer;
  let id: string;
  const directory = withDirectory();
  before(async () => {
    identity = await narrowIdentity({ role: 'writer', producers: [{ exact: 'ci' }] });
    view = await openConsole({ identity });
    view.expectRefusals();
  });
  after(async () => {
    await view[Symbol.asyncDispose]();
    directory.remove();
  });
  beforeEach(async () => {
    large = newLarge();
    writeFileSync(directory.path('of-the-first.bin'), large);
    const { packages } = view.door.registry;
    id = (await packages.create({ name: 'shared', producer: 'ci', subject: 's', retention_class: 'transient' })).record.id;
  });

  /** Sends as the first person; what is done before the third piece is let through. */
  async function cutAtThird(act: () => Promise<void> | void): Promise<readonly (string | undefined)[]> {
    const { page } = view;
    const by: (string | undefined)[] = [];
    const cut = Promise.withResolvers<void>();
    await page.goto(`${view.url}packages/${id}`);
    await view.signIn(narrowToken);
    await page.route(/\/uploads\/[^/]+$/, async (route) => {
      const asked = route.request();
      if (asked.method() === 'PATCH') {
        by.push(asked.headers().authorization);
        if (by.length === 3) {
          assert.ok(offsetOf(asked) > 0);
          await Promise.resolve(act()).then(cut.resolve, cut.reject);
        }
      }
      await route.continue();
    });
    await dropFiles(page, directory.path('of-the-first.bin'));
    await page.getByRole('button', { name: 'Add 1 file' }).click();
    await cut.promise;
    return by;
  }

  async function assertNothingOfTheSecond(by: readonly (string | undefined)[]): Promise<void> {
    await view.page.waitForTimeout(1_500);
    assert.deepEqual(new Set(by), new Set([`Bearer ${narrowToken}`]));
    assert.equal(await view.page.getByText('of-the-first.bin').count(), 0);
    assert.deepEqual((await view.door.registry.files.list(id)).items, []);
    const { items } = await view.door.store.as(actor).uploads!.list({});
    assert.deepEqual(
      items.filter((upload) => upload.package_id === id).map(({ created_by }) => created_by),
      [evilName],
    );
  }

  function assertNothingWrong(): void {
    assert.deepEqual(
      view.wrong.filter((text) => !/ERR_(FAILED|ABORTED)/.test(text)),
      [],
    );
  }

  test('ends with a sign-out, which asks first', async () => {
    const { page } = view;
    const by = await cutAtThird(async () => {
      await page.getByRole('button', { name: 'Sign out' }).click();
      const question = page.getByRole('dialog', { name: 'Files are on their way from this tab' });
      await question.waitFor();
      await view.assertAccessible();
      await page.keyboard.press('Enter');
      await question.waitFor({ state: 'detached' });
      await page.getByRole('banner').getByText(evilName, { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('button', { name: 'End them and sign out' }).click();
      await page.getByLabel('Token').waitFor();
    });
    await view.signIn();
    await page.getByText('Drop files and folders here').waitFor();
    await assertNothingOfTheSecond(by);
    assert.equal(await page.getByText('Adding files').count(), 0);
    await page.unroute(/\/uploads\/[^/]+$/);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    assertNothingWrong();
  });

  test('stays where the session has ended by itself, until the next one says what becomes of it', async () => {
    const { page } = view;
    const by = await cutAtThird(() => identity.end());
    await page.getByRole('dialog').getByText('The token has expired.').waitFor();
    await view.signIn();
    await page.getByText(`${evilName} was sending a file from this tab`).waitFor();
    await view.assertAccessible();
    assert.equal(await page.getByText('Drop files and folders here').count(), 0);
    await assertNothingOfTheSecond(by);
    await page.getByRole('button', { name: `Continue as ${actor}` }).click();
    await page.getByText('The file is stored, and its digest').waitFor();
    await page.unroute(/\/uploads\/[^/]+$/);
    const { items } = await view.door.registry.files.list(id);
    assert.equal(items[0]!.digest_sha256, createHash('sha256').update(large).digest('hex'));
    assertNothingWrong();
  });
});
