import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSigningIn } from '../doors/console/signing-in.ts';
import { passIssuer, wrongBesideIssuer } from './at-issuer.ts';
import { noBrowser, openConsole } from './open-console.ts';
import { proxyBelow } from './proxy-below.ts';

const byIssuer = { name: 'Sign in by Example people' };
const alice = 'person:alice';

test('what happens while a tab looks at its session is looked at after that', { skip: noBrowser }, async () => {
  await using world = await openSigningIn();
  const released = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  let holds = false;
  using proxy = proxyBelow('', world.port, ({ url = '' }) => {
    if (!holds || !url.endsWith('/sign-in/session')) return undefined;
    holds = false;
    held.resolve();
    return released.promise;
  });
  await using view = await openConsole({ identity: world.identity, before: proxy.listen });
  const { page } = view;
  view.expectRefusals();
  await page.goto(view.url);
  await page.getByRole('button', byIssuer).click();
  await passIssuer(page, 'alice');
  await page.getByText(alice, { exact: true }).waitFor();
  const other = await view.tab();
  await other.goto(view.url);
  await other.getByText(alice, { exact: true }).waitFor();
  // The first one asks, since the other one was signed out; it is answered so, and the answer takes long.
  holds = true;
  await other.getByRole('button', { name: 'Sign out' }).click();
  await other.getByRole('button', byIssuer).waitFor();
  await held.promise;
  await page.evaluate(`{
    globalThis.told = new Promise((resolve) => {
      new BroadcastChannel('artifactstore ' + new URL(document.baseURI).pathname).addEventListener('message', () => resolve());
    });
    undefined;
  }`);
  await other.getByRole('button', byIssuer).click();
  await other.getByRole('button', { name: /continue/i }).click();
  await other.getByText(alice, { exact: true }).waitFor();
  await page.evaluate('globalThis.told');
  const later = page.waitForRequest((request) => request.url().endsWith('/sign-in/session'));
  released.resolve();
  await later;
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  // It has what a change needs.
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', byIssuer).waitFor();
  assert.deepEqual(wrongBesideIssuer(view, world.issuer.url), []);
});

test('late answers to a session that has ended leave the one alone that began since', { skip: noBrowser }, async () => {
  await using world = await openSigningIn();
  const released = Promise.withResolvers<void>();
  const held: string[] = [];
  let old: string | undefined;
  using proxy = proxyBelow('', world.port, ({ url = '', headers }) => {
    if (old === undefined || headers.cookie?.includes(old) !== true || !/\/(whoami|session)$/.test(url)) return undefined;
    held.push(url);
    return released.promise;
  });
  await using view = await openConsole({ identity: world.identity, before: proxy.listen });
  const { page } = view;
  view.expectRefusals();
  const other = await view.tab();
  const context = page.context();
  await other.goto(view.url);
  await other.getByRole('button', byIssuer).click();
  await passIssuer(other, 'alice');
  await other.getByText(alice, { exact: true }).waitFor();
  const sessions = async () => (await context.cookies(view.url)).filter(({ name }) => name.includes('artifactstore-session'));
  const cookies = await sessions();
  assert.equal(cookies.length, 1);
  await other.getByRole('button', { name: 'Sign out' }).click();
  await other.getByRole('button', byIssuer).waitFor();
  // As after a start of the server: the browser has a cookie of a session that is none any more.
  await context.addCookies(cookies);
  old = cookies[0]!.value;
  await page.goto(view.url);
  for (let waited = 0; waited < 1_500 && held.length < 2; waited++) await page.waitForTimeout(20);
  assert.deepEqual(held.sort(), ['/console/sign-in/session', '/whoami']);
  await other.getByRole('button', byIssuer).click();
  await other.getByRole('button', { name: /continue/i }).click();
  await other.getByText(alice, { exact: true }).waitFor();
  // The tab is told of it, before the answers about the old session arrive.
  await page.getByText(alice, { exact: true }).waitFor();
  released.resolve();
  await page.waitForTimeout(500);
  await page.getByText(alice, { exact: true }).waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.equal((await sessions()).length, 1);
  // It has what a change needs, too: otherwise the server would not be asked to end the session.
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', byIssuer).waitFor();
  assert.deepEqual(await sessions(), []);
  assert.deepEqual(wrongBesideIssuer(view, world.issuer.url), []);
});
