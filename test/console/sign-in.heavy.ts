import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { assertFocus } from './assert-focus.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { proxyBelow } from './proxy-below.ts';
import { sealedPackage } from './sealed-package.ts';

describe('the console in a browser', { skip: noBrowser }, () => {
  let view: Console;
  before(async () => {
    view = await openConsole({
      tokens: ['first-token-0123456789', 'second-token-0123456789'].map((token) => ({ token, actor: token.slice(0, 5) })),
    });
  });
  after(() => view[Symbol.asyncDispose]());

  test('asks for a token, says what is wrong with one, and stays at its address', async () => {
    const record = await sealedPackage(view.door.registry, { 'a.txt': 'first' });
    const { page } = view;
    await page.goto(`${view.url}packages/${record.id}`);
    await page.getByLabel('Token').waitFor();
    await view.assertAccessible();
    await page.keyboard.press('Enter');
    await page.getByText('Paste a token first.').waitFor();
    view.expectRefusals();
    await page.getByLabel('Token').fill('not-a-token-of-this-server');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText(/token/i).first().waitFor();
    await view.signIn('first-token-0123456789');
    await page.getByRole('heading', { name: 'nightly run' }).waitFor();
    await page.getByText('a.txt').waitFor();
    await view.assertAccessible();
    view.assertNothingWrong();
  });

  test('a token that ends is asked for above the page, which stays', async () => {
    const { page } = view;
    // As it is when the server no longer takes it.
    await page.route(/\/packages\?/, (route) =>
      route.request().headers().authorization?.includes('first') === true
        ? route.fulfill({
            status: 401,
            contentType: 'application/problem+json',
            body: JSON.stringify({
              code: 'unauthorized',
              status: 401,
              title: 'A bearer token is required',
              detail: 'The token has expired.',
            }),
          })
        : route.continue(),
    );
    await page.getByRole('navigation').getByRole('link', { name: 'Packages' }).click();
    await page.getByRole('dialog').getByText('The token has expired.').waitFor();
    await view.assertAccessible();
    await view.signIn('second-token-0123456789');
    await page.getByRole('link', { name: 'nightly run' }).waitFor();
    assert.equal(new URL(page.url()).pathname, '/console/packages');
    await page.getByText('secon', { exact: true }).waitFor();
    await page.unroute(/\/packages\?/);
    view.assertNothingWrong();
  });

  test('a token is kept in the tab only where that was chosen', async () => {
    const { page } = view;
    await page.reload();
    await page.getByLabel('Token').waitFor();
    await page.getByLabel('Keep it until this tab is closed').check();
    await view.signIn('first-token-0123456789');
    await page.reload();
    await page.getByRole('heading', { name: 'Packages' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    assert.equal(await page.evaluate('sessionStorage.length'), 0);
    view.assertNothingWrong();
  });

  test('a digest that is pasted finds its package, by the keyboard alone', async () => {
    const { page } = view;
    await view.open();
    await page.getByLabel('Keep it until this tab is closed').check();
    await view.signIn('first-token-0123456789');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await assertFocus(page, 'id', 'content');
    await view.open();
    await page.keyboard.press('Tab');
    await assertFocus(page, 'textContent', 'Skip to the content');
    for (let step = 0; step < 2; step++) await page.keyboard.press('Tab');
    await page.keyboard.type(`${createHash('sha256').update('first').digest('hex')}\n`);
    await page.getByText('Files with these bytes').waitFor();
    await page.getByRole('link', { name: 'nightly run' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'nightly run' }).waitFor();
    await assertFocus(page, 'tagName', 'H1');
    view.assertNothingWrong();
  });

  test('says what it does not find, and that it cannot reach the server, and continues when it can', async () => {
    const { page } = view;
    await page.getByLabel('Search').fill('nobody-knows-this');
    await page.keyboard.press('Enter');
    await page.getByText('Nothing here is known by').waitFor();
    await view.assertAccessible();
    await page.context().setOffline(true);
    await page.getByRole('navigation').getByRole('link', { name: 'Packages' }).click();
    await page.getByText('The server cannot be reached. This page').waitFor();
    await view.assertAccessible();
    // The code of this page was never asked for.
    await page.getByRole('navigation').getByRole('link', { name: 'Usage' }).click();
    await page.getByText('This part is not there: the server did not answer.').waitFor();
    await page.context().setOffline(false);
    await page.getByText('This part is not there').waitFor({ state: 'detached' });
    await page.getByRole('navigation', { name: 'Compare' }).waitFor();
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Packages' }).click();
    await page.getByRole('link', { name: 'nightly run' }).waitFor();
    await page.getByText('The server cannot be reached. This page').waitFor({ state: 'detached' });
    view.assertNothingWrong();
  });

  test('says of a page whose code the server has no more that the console is loaded again', async () => {
    const { page } = view;
    await page.route(/assets\/storage-/, (route) => route.fulfill({ status: 404, body: '' }));
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Storage' }).click();
    await page.getByText('This page of the console did not load').waitFor();
    await view.assertAccessible();
    await page.unroute(/assets\/storage-/);
    await page.getByRole('button', { name: 'Load the console again' }).click();
    await page.getByRole('heading', { name: 'Where the bytes are' }).waitFor();
    await page.getByRole('heading', { name: 'Storage', exact: true }).waitFor();
    view.wrong.splice(0, view.wrong.length, ...view.wrong.filter((text) => !/dynamically imported/.test(text)));
    view.assertNothingWrong();
  });
});

describe('the console elsewhere', { skip: noBrowser }, () => {
  test('works below a path that a proxy takes away and tells nobody of, dark and narrow', async () => {
    using proxy = proxyBelow('/deep/below');
    await using view = await openConsole({
      anonymousRead: true,
      browser: { colorScheme: 'dark', viewport: { width: 360, height: 700 }, reducedMotion: 'reduce' },
      before: proxy.listen,
    });
    const { page } = view;
    const record = await sealedPackage(view.door.registry, { 'dir/a.txt': 'x' }, { name: '<img src=x onerror=alert(1)>' });
    await view.open(`packages/${record.id}`);
    await page.getByRole('heading', { name: '<img src=x onerror=alert(1)>' }).waitFor();
    await page.getByRole('treeitem', { name: /a\.txt/ }).waitFor();
    await view.assertAccessible();
    await page.getByRole('link', { name: 'artifactstore' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.getByText('No fault is known, but not everything is known').waitFor();
    assert.match(page.url(), /\/deep\/below\/console\/$/);
    await page.getByText('Reading without a token').waitFor();
    await view.assertAccessible();
    assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 360);
    await page.goBack();
    await page.getByRole('heading', { name: '<img' }).waitFor();
    await page.getByText('Do the same in a terminal').last().click();
    await page
      .getByText(new RegExp(`/deep/below/packages/${record.id}`))
      .last()
      .waitFor();
    view.assertNothingWrong();
  });
});
