import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { cookieName } from '../../src/doors/console/cookies.ts';
import { openSigningIn, type SigningIn } from '../doors/console/signing-in.ts';
import { passIssuer, wrongBesideIssuer } from './at-issuer.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { proxyBelow } from './proxy-below.ts';
import { sealedPackage } from './sealed-package.ts';

const below = '/deep/artifacts';

test('a person signs in below a path that a proxy takes away', { skip: noBrowser }, async () => {
  await using world = await openSigningIn({ below });
  using proxy = proxyBelow(below, world.port);
  await using view = await openConsole({ identity: world.identity, before: proxy.listen });
  await journey(view, world);
  assert.deepEqual(proxy.beside, [], 'asked for beside the path');
});

test('a person signs in below a path that the server knows', { skip: noBrowser }, async () => {
  await using world = await openSigningIn({ below });
  await using view = await openConsole({
    identity: world.identity,
    port: world.port,
    prefix: { basePath: below, trustForwardedPrefix: false },
    before: async (url) => `${url}${below}`,
  });
  await journey(view, world);
});

/** From a deep link through the issuer back to it, a change, the log live, out, and in again somewhere else. */
async function journey(view: Console, world: SigningIn): Promise<void> {
  const { page, door } = view;
  const origin = new URL(view.url).origin;
  const record = await sealedPackage(door.registry, { 'a dir/ö & <b>.txt': 'first' }, { producer: 'ci' });
  // Of a registry of the same host: it signs nobody in here, and nothing here touches it.
  const ofNeighbour = cookieName(`${origin}/neighbour/`, 'session', 'x');
  const url = `${origin.replace('http:', 'https:')}/`;
  await page.context().addCookies([{ name: ofNeighbour, value: 'x', url, secure: true, httpOnly: true, sameSite: 'Strict' }]);
  const asked: string[] = [];
  page.on('request', (request) => void (request.url().startsWith(origin) && asked.push(request.url())));
  view.expectRefusals();

  const deep = `${view.url}packages/${record.id}/files/a%20dir/%C3%B6%20%26%20%3Cb%3E.txt`;
  await signInAt(page, deep);
  await passIssuer(page, 'alice');
  await page.getByRole('heading', { name: 'ö & <b>.txt' }).waitFor();
  await page.getByText('first', { exact: true }).waitFor();
  assert.equal(page.url(), deep);
  assert.ok(
    asked.some((url) => url.startsWith(`${view.url}sign-in/callback?`)),
    'the callback is below the path',
  );
  assert.deepEqual(
    await ownCookies(view),
    [
      [await sessionCookie(view), '/', true, true, 'Strict'],
      [ofNeighbour, '/', true, true, 'Strict'],
    ].sort(),
  );

  // A change is of this page alone.
  const own = await door.store.as('person:alice').uploads!.begin({});
  await page.getByRole('navigation').getByRole('link', { name: 'Uploads' }).click();
  assert.equal(await page.evaluate("fetch(new URL('../uploads', document.baseURI), { method: 'POST' }).then(({ status }) => status)"), 403);
  await page.getByRole('button', { name: `Abandon upload ${own.id}` }).click();
  await page.getByRole('button', { name: 'Abandon it' }).click();
  await page.getByText('No upload is open').waitFor();
  assert.equal(await door.store.as('person:alice').uploads!.status(own.id), undefined);

  // The log is live by the cookie, also after a load of the page.
  await page.getByRole('navigation').getByRole('link', { name: 'Events' }).click();
  await page.reload();
  await page.locator('.feed-state').getByText('Live').waitFor();
  await sealedPackage(door.registry, { 'b.txt': 'second' }, { producer: 'ci', name: 'while it is open' });
  await page.getByText('while it is open').first().waitFor();

  // Out, and in again from a filter, as somebody who is known at the issuer.
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in by Example people' }).waitFor();
  assert.deepEqual(
    (await ownCookies(view)).map(([name]) => name),
    [ofNeighbour],
  );
  const filtered = `${view.url}packages?producer=ci&metadata=a%3Db%26c`;
  await signInAt(page, filtered);
  await page.getByRole('button', { name: /continue/i }).click();
  await page.getByText('person:alice', { exact: true }).waitFor();
  assert.equal(page.url(), filtered);

  // What did not work comes back to where it began.
  await page.goto(`${view.url}sign-in/failed?reason=denied&to=${encodeURIComponent('events?since=0')}`);
  await page.waitForURL(`${view.url}events?since=0`);
  assert.deepEqual(wrongBesideIssuer(view, world.issuer.url), []);
}

async function signInAt(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await page.getByRole('button', { name: 'Sign in by Example people' }).click();
}

/** The name that the cookie of this console has by its value. */
async function sessionCookie({ page, url }: Console): Promise<string> {
  const cookies = await page.context().cookies(url);
  const names = cookies.map(({ value }) => cookieName(url.replace(/console\/$/, ''), 'session', value));
  return names.find((name) => cookies.some((each) => each.name === name)) ?? 'none';
}

async function ownCookies({ page, url }: Console): Promise<(readonly [string, string, boolean, boolean, string])[]> {
  const cookies = await page.context().cookies(url);
  return cookies
    .filter(({ name }) => name.startsWith('__Host-'))
    .map(({ name, path, secure, httpOnly, sameSite }) => [name, path, secure, httpOnly, sameSite] as const)
    .sort();
}
