import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { token } from '../doors/rest/open-door.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

describe('the console in two tabs', { skip: noBrowser }, () => {
  let view: Console;
  let other: Page;
  const sockets = new Set<Socket>();
  let away = false;
  let stop = (): void => undefined;

  before(async () => {
    view = await openConsole({
      tokens: [
        { token, actor: 'tester' },
        { token: 'another-token-0123456789', actor: 'other' },
      ],
      // A proxy that can be as a server is that is not there.
      async before(url) {
        const proxy = createServer((incoming, answer) => {
          const to = request(new URL(incoming.url ?? '/', url), { method: incoming.method ?? 'GET', headers: incoming.headers }, (from) => {
            answer.writeHead(from.statusCode!, from.headers);
            from.pipe(answer);
            from.on('error', () => answer.destroy());
          });
          answer.on('close', () => to.destroy());
          to.on('error', () => answer.destroy());
          incoming.pipe(to);
        });
        proxy.on('connection', (socket) => {
          if (away) return void socket.destroy();
          sockets.add(socket);
          socket.on('close', () => sockets.delete(socket));
        });
        await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve));
        stop = () => void proxy.close().closeAllConnections();
        return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      },
    });
    other = await view.tab();
  });
  after(async () => {
    stop();
    await view[Symbol.asyncDispose]();
  });

  test('each has a token of its own, and both see what happens', async () => {
    const { page } = view;
    await page.goto(`${view.url}events?since=0&whole=yes`);
    await page.getByLabel('Keep it until this tab is closed').check();
    await view.signIn();
    await other.goto(`${view.url}events?since=0&whole=yes`);
    await other.getByLabel('Token').fill('another-token-0123456789');
    await other.keyboard.press('Enter');
    for (const tab of [page, other]) await tab.locator('.feed-state').getByText('Live').waitFor();
    await sealedPackage(view.door.registry, { 'a.txt': 'x' }, { name: 'seen by both' });
    for (const tab of [page, other]) await assertWhole(tab);
    await page.getByText('tester', { exact: true }).first().waitFor();
    await other.getByRole('banner').getByText('other', { exact: true }).waitFor();
    view.assertNothingWrong();
  });

  test('while the server is away both say so; when it is back nothing is missing, and nothing is there twice', async () => {
    const { page } = view;
    view.expectRefusals();
    away = true;
    for (const socket of sockets) socket.destroy();
    for (const tab of [page, other]) {
      await tab.locator('.feed-state').getByText('The stream was cut').waitFor();
      await tab.getByRole('alert').getByText('The server cannot be reached').waitFor();
    }
    await view.assertAccessible();
    for (let index = 0; index < 5; index++)
      await sealedPackage(view.door.registry, { 'b.txt': `${index}` }, { name: `while it was away ${index}` });
    away = false;
    for (const tab of [page, other]) {
      await tab.locator('.feed-state').getByText('Live').waitFor({ timeout: 40_000 });
      await assertWhole(tab);
      await tab.getByText('The server cannot be reached').waitFor({ state: 'detached' });
    }
    view.assertNothingWrong();
  });

  test('whoever signs out in one stays signed in in the other', async () => {
    const { page } = view;
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    await sealedPackage(view.door.registry, { 'c.txt': 'z' }, { name: 'after that' });
    await other.getByText('after that').first().waitFor();
    await assertWhole(other);
    await page.reload();
    await page.getByLabel('Token').waitFor();
    view.assertNothingWrong();
  });

  /** Every event once, in their order, and each follows from the one before. */
  async function assertWhole(tab: Page): Promise<void> {
    const last = await view.door.lastSequence();
    await tab.getByText(`${last} of ${last} events follow from the one before`).waitFor();
    const shown = await tab.getByRole('button', { name: /^Details of event/ }).allTextContents();
    assert.deepEqual(
      shown.map(Number),
      Array.from({ length: last }, (_, index) => last - index),
    );
  }
});
