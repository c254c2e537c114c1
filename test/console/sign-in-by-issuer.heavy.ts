import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSigningIn } from '../doors/console/signing-in.ts';
import { passIssuer, wrongBesideIssuer } from './at-issuer.ts';
import { noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

test('a person signs in by an issuer, comes back to the page, changes something, and signs out', { skip: noBrowser }, async () => {
  await using world = await openSigningIn();
  await using view = await openConsole({ identity: world.identity, port: world.port });
  const { page, door } = view;
  const record = await sealedPackage(door.registry, { 'a.txt': 'first' }, { producer: 'ci' });
  view.expectRefusals();
  await page.goto(`${view.url}packages/${record.id}`);
  const button = page.getByRole('button', { name: 'Sign in by Example people' });
  await button.waitFor();
  await view.assertAccessible();
  await button.click();
  await passIssuer(page, 'alice');
  await page.getByRole('heading', { name: 'nightly run' }).waitFor();
  // Nothing of it is left where it could be read or sent on.
  assert.equal(page.url(), `${view.url}packages/${record.id}`);
  assert.deepEqual(await page.evaluate('[document.cookie, sessionStorage.length, localStorage.length]'), ['', 0, 0]);
  const cookies = await page.context().cookies(view.url);
  assert.deepEqual(
    cookies
      .filter(({ name }) => name.startsWith('__Host-'))
      .map(({ httpOnly, secure, sameSite, path }) => [httpOnly, secure, sameSite, path]),
    [[true, true, 'Strict', '/']],
  );
  await page.getByText('person:alice', { exact: true }).waitFor();
  // A load of the page keeps it, and so do streams and changes.
  await page.reload();
  await page.getByRole('heading', { name: 'nightly run' }).waitFor();
  await page.getByRole('navigation').getByRole('link', { name: 'Events' }).click();
  await page.getByText(record.id.slice(0, 8)).first().waitFor();
  const own = await door.store.as('person:alice').uploads!.begin({});
  await page.getByRole('navigation').getByRole('link', { name: 'Uploads' }).click();
  await page.getByRole('button', { name: `Abandon upload ${own.id}` }).click();
  assert.equal(await page.evaluate("fetch('../uploads', { method: 'POST' }).then(({ status }) => status)"), 403, 'not of our page');
  await page.getByRole('button', { name: 'Abandon it' }).click();
  await page.getByText('No upload is open').waitFor();
  assert.equal(await door.store.as('person:alice').uploads!.status(own.id), undefined);
  await page.route(/\/sign-in\/out$/, (route) => route.abort());
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('you may still be signed in').waitFor();
  await page.unroute(/\/sign-in\/out$/);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign in by Example people' }).waitFor();
  assert.equal((await page.context().cookies(view.url)).filter(({ name }) => name.includes('artifactstore-session')).length, 0);
  assert.deepEqual(
    wrongBesideIssuer(view, world.issuer.url).filter((what) => !what.includes('ERR_FAILED')),
    [],
  );
});

test('says in words why nobody was signed in', { skip: noBrowser }, async () => {
  await using world = await openSigningIn();
  await using view = await openConsole({ identity: world.identity, port: world.port });
  const { page } = view;
  view.expectRefusals();
  await page.goto(`${view.url}sign-in/failed?reason=nothing&to=packages`);
  await page.getByText('nothing here is granted to you').waitFor();
  assert.equal(page.url(), `${view.url}packages`);
  await view.assertAccessible();
  world.issuer.away(true);
  await page.getByRole('button', { name: 'Sign in by Example people' }).click();
  await page.getByText('The issuer cannot be asked now').waitFor();
  await page.goto(
    `${view.url}sign-in/failed?reason=${encodeURIComponent('<img src=x onerror=alert(1)>')}&to=${encodeURIComponent('https://evil.example/')}`,
  );
  await page.getByText('does not hold').waitFor();
  assert.equal(page.url(), view.url);
  view.assertNothingWrong();
});
