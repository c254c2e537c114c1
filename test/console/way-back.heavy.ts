import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Locator } from 'playwright-core';
import { assertFocus } from './assert-focus.ts';
import { holdRequests } from './hold-requests.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';

const packages = 450;

describe('the way back to a list', { skip: noBrowser, timeout: 240_000 }, () => {
  let view: Console;
  let asked: string[] = [];
  before(async () => {
    view = await openConsole();
    const { registry } = view.door;
    for (let index = 0; index < packages; index++)
      await registry.packages.create({
        name: `run ${index}`,
        producer: index % 2 === 0 ? 'even' : 'odd',
        subject: index % 3 === 0 ? `run ${index}` : 'nightly',
        retention_class: 'transient',
      });
    await view.page.goto(view.url);
    await view.page.getByLabel('Keep it until this tab is closed').check();
    await view.signIn();
    view.page.on('request', (request) => {
      const { pathname, searchParams } = new URL(request.url());
      if (pathname === '/packages') asked.push(searchParams.get('cursor') ?? 'first');
    });
  });
  after(() => view[Symbol.asyncDispose]());

  for (const [width, height] of [
    [1280, 800],
    [360, 740],
  ] as const)
    test(`leads to the row that was left, with what was read, at ${width} px`, async () => {
      const { page } = view;
      await page.setViewportSize({ width, height });
      await view.open('packages');
      const row = await scrolledTo('run 120');
      const top = await topOf(row);
      await row.click();
      await page.getByRole('heading', { name: 'run 120' }).waitFor();
      assert.equal(await page.evaluate('scrollY'), 0);
      asked = [];
      await page.goBack();
      await row.waitFor();
      await settled();
      assert.ok(Math.abs((await topOf(row)) - top) < 3, `${await topOf(row)} where it was ${top}`);
      await assertFocus(page, 'textContent', 'run 120');
      assert.deepEqual(asked, [], 'nothing is read again');
      await page.keyboard.press('Tab');
      await assertFocus(page, 'textContent', 'run 119');
      // Forward, and by way of another page, it is the same.
      await page.goForward();
      await page.getByRole('heading', { name: 'run 120' }).waitFor();
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Access' }).click();
      await page.getByRole('heading', { name: 'Access' }).waitFor();
      await page.goBack();
      await page.getByRole('heading', { name: 'run 120' }).waitFor();
      await page.goBack();
      await row.waitFor();
      await settled();
      assert.ok(Math.abs((await topOf(row)) - top) < height / 2, `${await topOf(row)} where it was ${top}`);
      await view.assertAccessible();
      view.assertNothingWrong();
    });

  test('by the keyboard more rows are read, and the focus continues with the first of them', async () => {
    const { page } = view;
    await page.setViewportSize({ width: 1280, height: 800 });
    await view.open('packages');
    const focused = async (name: string): Promise<void> => {
      await page.locator('a:focus').getByText(name, { exact: true }).waitFor();
    };
    for (const next of ['run 349', 'run 249', 'run 149', 'run 49']) {
      // The button comes into sight with the focus, which asks for rows too: none is there before the key is pressed.
      const letGo = await holdRequests(page, /\/packages\?.*cursor=/);
      await page.getByRole('button', { name: /^Show more|^Loading/ }).focus();
      await page.keyboard.press('Enter');
      letGo();
      await focused(next);
      await page.unrouteAll();
    }
    await page.getByRole('button', { name: /^Show more|^Loading/ }).waitFor({ state: 'detached' });
    await page.keyboard.press('Tab');
    await focused('run 48');
    view.assertNothingWrong();
  });

  test('leads from a filtered list to the whole one, and there to its place; a new visit begins at its begin', async () => {
    const { page } = view;
    await page.setViewportSize({ width: 1280, height: 800 });
    await view.open('packages?producer=odd');
    const row = await scrolledTo('run 41');
    const top = await topOf(row);
    // The way up from a package leads there too.
    await row.click();
    await page.getByRole('heading', { name: 'run 41' }).waitFor();
    await page.locator('.page-above').getByRole('link', { name: 'Packages' }).click();
    await row.waitFor();
    await settled();
    assert.ok(Math.abs((await topOf(row)) - top) < 3, `${await topOf(row)} where it was ${top}`);
    assert.equal(new URL(page.url()).search, '?producer=odd');
    await page.getByRole('link', { name: 'Clear all' }).evaluate((link: unknown) => (link as { click(): void }).click());
    await page.getByRole('cell', { name: 'even', exact: true }).first().waitFor();
    await page.goBack();
    await row.waitFor();
    await settled();
    assert.ok(Math.abs((await topOf(row)) - top) < 3, `${await topOf(row)} where it was ${top}`);
    assert.equal(await page.getByRole('cell', { name: 'even', exact: true }).count(), 0);
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Packages' }).click();
    await page.getByRole('link', { name: `run ${packages - 1}` }).waitFor();
    assert.equal(await page.evaluate('scrollY'), 0);
    view.assertNothingWrong();
  });

  test('shows what was done meanwhile', async () => {
    const { page } = view;
    await view.open('packages');
    const row = await scrolledTo('run 200');
    await row.click();
    await page.getByRole('heading', { name: 'run 200' }).waitFor();
    await page.getByRole('button', { name: 'Abandon' }).click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Abandon/ })
      .click();
    await page.locator('.page-beside').getByText('Abandoned').waitFor();
    await page.goBack();
    await page
      .getByRole('row', { name: /run 200/ })
      .getByText('Abandoned')
      .waitFor();
    await assertFocus(page, 'textContent', 'run 200');
    view.assertNothingWrong();
  });

  test('shows nothing of a person who has signed out', async () => {
    const { page } = view;
    await view.open('packages');
    await (await scrolledTo('run 200')).click();
    await page.getByRole('heading', { name: 'run 200' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    await page.goBack();
    await page.getByLabel('Token').waitFor();
    assert.equal(await page.getByText('run 200').count(), 0);
    asked = [];
    await view.signIn();
    await page.getByRole('link', { name: `run ${packages - 1}` }).waitFor();
    assert.equal(asked[0], 'first');
  });

  async function scrolledTo(name: string): Promise<Locator> {
    const { page } = view;
    const row = page.getByRole('link', { name, exact: true });
    await page.getByRole('link', { name: /^run/ }).first().waitFor();
    await page.mouse.move(200, 400);
    for (let turns = 0; turns < 400 && (await row.count()) === 0; turns++) {
      await page.mouse.wheel(0, 700);
      await page.waitForTimeout(60);
    }
    await row.scrollIntoViewIfNeeded();
    await settled();
    return row;
  }

  async function topOf(row: Locator): Promise<number> {
    return (await row.boundingBox())!.y;
  }

  /** Until nothing of the page moves any more. */
  async function settled(): Promise<void> {
    const { page } = view;
    for (let calm = 0, last = -1; calm < 5; ) {
      const now = await page.evaluate<number>('scrollY');
      calm = now === last ? calm + 1 : 0;
      last = now;
      await page.waitForTimeout(60);
    }
  }
});
