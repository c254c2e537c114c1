import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { evilName, type NarrowIdentity, narrowIdentity, narrowToken } from './narrow-identity.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

describe('the live log in a browser', { skip: noBrowser }, () => {
  let view: Console;
  let identity: NarrowIdentity;
  const sockets = new Set<Socket>();
  let altered = false;
  let stop = (): void => undefined;

  before(async () => {
    identity = await narrowIdentity({ role: 'reader', producers: [{ exact: 'ci' }] });
    view = await openConsole({
      identity,
      // A proxy whose connections can be cut, and that can alter what it passes on.
      async before(url) {
        const proxy = createServer((incoming, answer) => {
          const to = request(new URL(incoming.url ?? '/', url), { method: incoming.method ?? 'GET', headers: incoming.headers }, (from) => {
            answer.writeHead(from.statusCode!, from.headers);
            from.on('data', (bytes: Buffer) =>
              answer.write(altered ? bytes.toString().replaceAll('"actor":"tester"', '"actor":"other!"') : bytes),
            );
            from.on('end', () => answer.end());
            from.on('error', () => answer.destroy());
          });
          answer.on('close', () => to.destroy());
          to.on('error', () => answer.destroy());
          incoming.pipe(to);
        });
        proxy.on('connection', (socket) => sockets.add(socket));
        await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve));
        stop = () => void proxy.close().closeAllConnections();
        return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      },
    });
    await sealedPackage(view.door.registry, { [`${evilName}.txt`]: 'x' }, { name: evilName, subject: evilName });
  });
  after(async () => {
    stop();
    await view[Symbol.asyncDispose]();
  });

  test('follows the chain from the first event, and shows what happens as it happens', async () => {
    const { page } = view;
    await page.goto(`${view.url}events`);
    await page.getByLabel('Keep it until this tab is closed').check();
    await view.signIn();
    await page.locator('.feed-state').getByText('Live').waitFor();
    await page.getByText('What was read is unaltered').waitFor();
    await page.getByRole('cell', { name: 'Package sealed' }).first().waitFor();
    assert.equal(await page.getByText('begins here').count(), 0);
    await view.assertAccessible();
    await sealedPackage(view.door.registry, { 'a.txt': 'y' }, { name: 'second one' });
    await page.getByText('second one').first().waitFor();
    await page.getByRole('button', { name: 'Details of event no. 1', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.getByLabel('Payload', { exact: true }).getByText(evilName).waitFor();
    await view.assertAccessible();
    view.assertNothingWrong();
  });

  test('resumes where it was when it is cut, twice nothing and nothing left out', async () => {
    const { page } = view;
    view.expectRefusals();
    for (const socket of sockets) socket.destroy();
    await sealedPackage(view.door.registry, { 'a.txt': 'z' }, { name: 'third one' });
    await page.getByText('third one').first().waitFor();
    await page.locator('.feed-state').getByText('Live').waitFor();
    const last = await view.door.lastSequence();
    const shown = await page.getByRole('button', { name: /^Details of event/ }).allTextContents();
    assert.deepEqual(
      shown.map(Number),
      Array.from({ length: last }, (_, index) => last - index),
    );
    await page.getByText(`${last} of ${last} events follow from the one before`).waitFor();
    assert.equal(await page.getByText('begins here').count(), 0);
  });

  test('a filter has an address, and says that the chain is not followed', async () => {
    const { page } = view;
    await page.getByLabel('What happened').selectOption('Package sealed');
    await page.getByText('With a filter there are gaps').waitFor();
    assert.equal(new URL(page.url()).search, '?event_type=v1.package.finalized');
    assert.equal(await page.getByText('File added').count(), 1, 'the choice alone');
    await view.assertAccessible();
    await page.getByLabel('What happened').selectOption('Key used up');
    await page.getByText('Nothing that matches').waitFor();
  });

  test('an event that was altered on the way is found', async () => {
    const { page } = view;
    altered = true;
    await view.open('events?since=0');
    await page.getByRole('alert').getByText('Event no. 1 is not what the log was built on').waitFor();
    await page.getByText('chain broken').first().waitFor();
    await view.assertAccessible();
    altered = false;
  });

  test('whoever sees a part is told that it has no chain; a token that ends is asked for, and the feed continues', async () => {
    const { page } = view;
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.goto(`${view.url}events`);
    await view.signIn(narrowToken);
    await page.getByText('You see a part of the log, and a part has no chain').waitFor();
    await view.assertAccessible();
    assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 360);
    identity.end();
    await page.getByRole('dialog').getByText('The token has expired.').waitFor({ timeout: 40_000 });
    await view.signIn();
    await page.getByText('What was read is unaltered').waitFor();
    await sealedPackage(view.door.registry, { 'a.txt': 'last' }, { name: 'fourth one' });
    await page.getByText('fourth one').first().waitFor();
  });
});
