import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Page, Response } from 'playwright-core';
import { openSigningIn, type SigningIn } from '../doors/console/signing-in.ts';
import { passIssuer, wrongBesideIssuer } from './at-issuer.ts';
import { dropFiles } from './drop-files.ts';
import { holdRequests } from './hold-requests.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { newLarge, offsetOf, withDirectory } from './upload-pieces.ts';

const byIssuer = { name: 'Sign in by Example people' };

describe('a session by a cookie that ends while a file is sent', { skip: noBrowser }, () => {
  let world: SigningIn;
  let view: Console;
  let other: Page;
  const directory = withDirectory();
  before(async () => {
    world = await openSigningIn();
    view = await openConsole({ identity: world.identity, port: world.port });
    view.expectRefusals();
    other = await view.tab();
  });
  after(async () => {
    await view[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
    directory.remove();
  });

  let large: Buffer;
  let id: string;
  beforeEach(async () => {
    large = newLarge();
    writeFileSync(directory.path('large.bin'), large);
    const { registry } = view.door;
    await view.page.context().clearCookies();
    id = (await registry.packages.create({ name: 'to be sent', producer: 'ci', subject: 's', retention_class: 'transient' })).record.id;
  });

  test('by a sign-out in another tab: signed in again in a third one, it continues at its byte', async () => {
    const { page } = view;
    await signInAt(page, `${view.url}packages/${id}`, 'alice');
    await other.goto(`${view.url}packages`);
    await other.getByText('person:alice', { exact: true }).waitFor();
    const from = await cutAt(page, 3, () => signOut(other));
    await page.getByRole('dialog').getByText('You are not signed in any more').waitFor();
    await page.getByText('It continues when you have signed in').waitFor();
    await view.assertAccessible();
    // What the server has acknowledged, it has.
    assert.equal((await openUploads('person:alice'))[0]!.offset_bytes, from[2]);
    const [third] = await Promise.all([page.context().waitForEvent('page'), page.getByRole('button', byIssuer).click()]);
    await third.getByRole('button', { name: /continue/i }).click();
    await third.getByText('person:alice', { exact: true }).waitFor();
    // It tells the others when it has asked for its session, which is not when it has said who is there.
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await third.close();
    await assertStored(page, from, 3);
    // The tab where somebody had signed out has noticed it too.
    await other.getByText('person:alice', { exact: true }).waitFor();
    assertNothingWrong();
  });

  test('by its end: signed in again in this tab, and dropped again, it continues at its byte', async () => {
    const { page } = view;
    world.issuer.lasting(20);
    await signInAt(page, `${view.url}packages/${id}`, 'alice');
    const signedInAt = Date.now();
    const from = await cutAt(page, 3, () => new Promise((resolve) => setTimeout(resolve, signedInAt + 20_000 - Date.now())));
    world.issuer.lasting(600);
    await page.getByRole('dialog').getByText('You are not signed in any more').waitFor();
    assert.equal((await openUploads('person:alice'))[0]!.offset_bytes, from[2]);
    page.once('dialog', (dialog) => void dialog.accept());
    await page.reload();
    await signInAt(page);
    await page.getByText('A file has begun and is not whole yet.').waitFor();
    await dropFiles(page, directory.path('large.bin'));
    await page.getByRole('button', { name: 'Add 1 file' }).click();
    await assertStored(page, from, 3);
    assertNothingWrong();
  });

  test('by another one of the same person, of which its tab was not told: it continues, and asks nobody', async () => {
    const untold = await view.tab();
    await untold.addInitScript('delete globalThis.BroadcastChannel');
    await signInAt(untold, `${view.url}packages/${id}`, 'alice');
    await untold.getByText('Drop files and folders here').waitFor();
    await other.goto(`${view.url}packages`);
    const from = await cutAt(untold, 3, async () => {
      await signOut(other);
      await signInAt(other);
    });
    await assertStored(untold, from, 3);
    await untold.close();
    assertNothingWrong();
  });

  test('by somebody else in another tab: nothing is sent in their name before a person says so', async () => {
    const { page } = view;
    await signInAt(page, `${view.url}packages/${id}`, 'alice');
    await other.goto(`${view.url}packages`);
    const from = await cutAt(page, 3, async () => {
      await signOut(other);
      // Of the issuer, where it is Alice still.
      await page.context().clearCookies({ name: /^_/ });
      await other.getByRole('button', byIssuer).click();
      await passIssuer(other, 'dora');
      await other.getByText('person:dora', { exact: true }).waitFor();
    });
    await page.getByRole('dialog').getByText('person:dora has signed in').waitFor();
    await view.assertAccessible();
    assert.deepEqual(await openUploads('person:dora'), []);
    assert.equal((await openUploads('person:alice'))[0]!.offset_bytes, from[2]);
    await page.getByRole('button', { name: 'Continue as person:dora' }).click();
    await page.getByText('The file is stored, and its digest').waitFor();
    await page.getByRole('banner').getByText('person:dora', { exact: true }).waitFor();
    assert.equal(from[3], 0, 'an upload of her own');
    const { items } = await view.door.registry.files.list(id);
    assert.equal(items[0]!.digest_sha256, createHash('sha256').update(large).digest('hex'));
    assertNothingWrong();
  });

  test('by somebody else of whom the page does not know yet who it is: nothing is sent in their name', async () => {
    const { page } = view;
    await signInAt(page, `${view.url}packages/${id}`, 'alice');
    await other.goto(`${view.url}packages`);
    const letGo = await holdRequests(page, /\/whoami$/);
    const asksWho = page.waitForRequest(/\/whoami$/, { timeout: 0 });
    const isRefused = (response: Response): boolean => response.request().method() === 'PATCH' && response.status() === 403;
    const refused = page.waitForResponse(isRefused, { timeout: 0 });
    await cutAt(page, 3, async () => {
      await signOut(other);
      await page.context().clearCookies({ name: /^_/ });
      await other.getByRole('button', byIssuer).click();
      await passIssuer(other, 'dora');
      await other.getByText('person:dora', { exact: true }).waitFor();
      await asksWho;
    });
    await refused;
    await page.waitForTimeout(1_000);
    assert.deepEqual(await openUploads('person:dora'), []);
    letGo();
    await page.getByRole('dialog').getByText('person:dora has signed in').waitFor();
    assert.deepEqual(await openUploads('person:dora'), []);
    await page.unrouteAll();
    assertNothingWrong();
  });

  async function signInAt(page: Page, address?: string, asNew?: string): Promise<void> {
    if (address !== undefined) await page.goto(address);
    await page.getByRole('button', byIssuer).click();
    if (asNew === undefined) await page.getByRole('button', { name: /continue/i }).click();
    else await passIssuer(page, asNew);
    await page.getByText('person:alice', { exact: true }).waitFor();
  }

  async function signOut(page: Page): Promise<void> {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', byIssuer).waitFor();
  }

  /** Begins to send the file; before the piece with this number is let through, something is done. */
  async function cutAt(page: Page, piece: number, act: () => Promise<void>): Promise<readonly number[]> {
    const from: number[] = [];
    const cut = Promise.withResolvers<void>();
    await page.route(/\/uploads\/[^/]+$/, async (route) => {
      if (route.request().method() === 'PATCH' && from.push(offsetOf(route.request())) === piece) await act().then(cut.resolve, cut.reject);
      await route.continue();
    });
    await dropFiles(page, directory.path('large.bin'));
    await page.getByRole('button', { name: 'Add 1 file' }).click();
    await cut.promise;
    return from;
  }

  async function openUploads(actor: string) {
    const { items } = await view.door.store.as(actor).uploads!.list({});
    return items.filter((upload) => upload.package_id === id && upload.created_by === actor);
  }

  /** All of it, and after the cut from where the server had it. */
  async function assertStored(page: Page, from: readonly number[], cut: number): Promise<void> {
    await page.getByText('The file is stored, and its digest').waitFor();
    await page.unroute(/\/uploads\/[^/]+$/);
    assert.equal(from[cut], from[cut - 1], from.join(' '));
    const { items } = await view.door.registry.files.list(id);
    assert.deepEqual(
      items.map(({ digest_sha256 }) => digest_sha256),
      [createHash('sha256').update(large).digest('hex')],
    );
  }

  function assertNothingWrong(): void {
    const wrong = wrongBesideIssuer(view, world.issuer.url).filter((text) => !/ERR_(FAILED|ABORTED)/.test(text));
    assert.deepEqual(wrong, []);
  }
});
