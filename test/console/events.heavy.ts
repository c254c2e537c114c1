import assert from 'node:assert/strict';
import { chmodSync, globSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { localRoot } from '../registry/open-registry.ts';
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
            // What is not text would not outlive it.
            const isEvents = new URL(incoming.url ?? '/', url).pathname.startsWith('/events');
            from.on('data', (bytes: Buffer) =>
              answer.write(altered && isEvents ? bytes.toString().replaceAll('"actor":"tester"', '"actor":"other!"') : bytes),
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
    await page.getByText(`${last} of ${last} events follow from the one before`).waitFor();
    const shown = await page.getByRole('button', { name: /^Details of event/ }).allTextContents();
    assert.deepEqual(
      shown.map(Number),
      Array.from({ length: last }, (_, index) => last - index),
    );
    assert.equal(await page.getByText('begins here').count(), 0);
  });

  test('a filter has an address, and says that the chain is not followed', async () => {
    const { page } = view;
    await page.getByLabel('What happened').selectOption('Package sealed');
    await page.getByText('With a filter there are gaps').waitFor();
    assert.equal(new URL(page.url()).search, '?event_type=v1.package.finalized');
    assert.equal(await page.getByText('File added').count(), 1, 'the choice alone');
    await page.getByText('what the filter lets through').waitFor();
    assert.deepEqual(
      new Set((await page.locator('main tbody td:last-child').allInnerTexts()).map((each) => each.trim())),
      new Set(['payload right']),
    );
    await view.assertAccessible();
    await page.getByLabel('What happened').selectOption('Key used up');
    await page.getByText('Nothing that matches').waitFor();
  });

  test('a name leads to the events of the package, and several to a choice', async () => {
    const { page } = view;
    const called = page.locator('main');
    await page.getByLabel('What happened').selectOption('Anything');
    await page.getByLabel('Id or name').fill('second one');
    await page.keyboard.press('Enter');
    await called.getByText('Events of the package second one.').waitFor();
    await page.getByRole('cell', { name: 'Package sealed' }).waitFor();
    assert.equal(new URL(page.url()).search, '?subject_id=second+one');
    assert.equal(await page.getByRole('cell', { name: 'Package sealed' }).count(), 1, 'those of this one alone');
    await view.assertAccessible();

    const [first] = (await view.door.registry.packages.list({ name: 'second one' })).items;
    const second = await sealedPackage(view.door.registry, { 'a.txt': 'w' }, { name: 'second one', producer: 'elsewhere' });
    await page.reload();
    await called.getByText('2 packages are called so.').waitFor();
    assert.equal(await page.getByRole('region', { name: 'Events, newest first' }).count(), 0);
    await view.assertAccessible();
    await page
      .getByRole('region', { name: 'Packages that are called so' })
      .getByRole('link', { name: /elsewhere/ })
      .focus();
    await page.keyboard.press('Enter');
    await page.getByRole('cell', { name: 'Package sealed' }).waitFor();
    assert.equal(new URL(page.url()).searchParams.get('subject_id'), second.id);
    assert.notEqual(second.id, first!.id);

    // The name of a backend is its id, also where a package is called so.
    await view.door.store.operator.verifyStorage('local');
    await view.open('events?subject_id=local&subject_kind=backend');
    await page
      .getByRole('cell', { name: /Stored bytes verified/ })
      .first()
      .waitFor();
    await sealedPackage(view.door.registry, { 'a.txt': 'v' }, { name: 'local' });
    await view.open('events?subject_id=local');
    await called.getByText('A package is called so too.').waitFor();
    await page
      .getByRole('cell', { name: /Stored bytes verified/ })
      .first()
      .waitFor();
    await view.open('events?subject_id=nothing-like-it');
    await called.getByText('Taken as an id: no package that you may read is called so.').waitFor();
  });

  test('what looks like an id or a digest is asked as a name too, and the page says as what', async () => {
    const { page } = view;
    const main = page.locator('main');
    const digest = `blake3:${'c'.repeat(64)}`;
    const names = ['0190163d-8694-739b-aea5-966c26f8ad91', 'd'.repeat(64), digest];
    for (const name of names) await sealedPackage(view.door.registry, { 'a.txt': name }, { name });
    for (const name of names) {
      await view.open(`events?${new URLSearchParams({ subject_id: name })}`);
      await main.getByText('The events below are of what has this id. A package is called so too.').waitFor();
      await main.getByText('Nothing that matches').waitFor();
      await view.assertAccessible();
      await page.getByRole('region', { name: 'Packages that are called so' }).getByRole('link').click();
      await page.getByRole('cell', { name: 'Package sealed' }).waitFor();
      // An id that nothing is called by needs no word of names.
      await main.getByText('called so').first().waitFor({ state: 'detached' });
    }
    // No package has a digest as its id: it is a name, and nothing else.
    await view.open(`events?${new URLSearchParams({ subject_id: digest, subject_kind: 'package' })}`);
    await main.getByText(`Events of the package ${digest}.`).waitFor();
    await page.getByRole('cell', { name: 'Package sealed' }).waitFor();
    await view.open(`events?${new URLSearchParams({ subject_id: digest, subject_kind: 'object' })}`);
    await main.getByText('Nothing that matches').waitFor();
    assert.equal(await main.getByText('called so').count(), 0, 'packages are not asked for');
    view.assertNothingWrong();
  });

  test('a package says that its files have events of their own, and a file leads there', async () => {
    const { page } = view;
    const [record] = (await view.door.registry.packages.list({ name: 'third one' })).items;
    await view.door.registry.retention.hold(record!.id, { reason: 'an audit of its own' });
    await view.open(`packages/${record!.id}`);
    await page.getByText('is in the log under other ids').waitFor();
    const events = page.getByRole('region', { name: 'Events of this package, oldest first' });
    await events.getByRole('columnheader', { name: 'What happened' }).waitFor();
    await events.getByText('an audit of its own').waitFor();
    await page.getByRole('link', { name: 'Show in the log' }).click();
    await page.getByRole('cell', { name: /an audit of its own/ }).waitFor();
    assert.equal(new URL(page.url()).searchParams.get('subject_id'), record!.id);
    await view.open(`packages/${record!.id}/files/a.txt`);
    await page.getByRole('link', { name: 'Events of this file' }).click();
    await page.getByRole('cell', { name: 'File added' }).waitFor();
    assert.equal(await page.getByRole('button', { name: /^Details of event/ }).count(), 1);
  });

  test('the page of a file leads to what is logged of its bytes under other ids', async () => {
    const { door, page } = view;
    const bytes = 'r'.repeat(70_000);
    const { record } = await door.registry.packages.create({
      ...{ name: 'left behind', producer: 'ci', subject: 'left behind', retention_class: 'raw-evidence' },
    });
    const body = (async function* () {
      yield Buffer.from(bytes);
    })();
    await door.registry.files.add(record.id, { relative_path: 'a.txt', body });
    // Its bytes are damaged, found so, and brought again: the log has a repair of them.
    const root = localRoot(door.store.config);
    // A look at the health of a backend writes a draft, which goes at once.
    const sizeOf = (name: string) => statSync(join(root, name), { throwIfNoEntry: false })?.size;
    const [at] = globSync('blake3/**/*', { cwd: root }).filter((name) => sizeOf(name) === bytes.length);
    chmodSync(join(root, at!), 0o600);
    writeFileSync(join(root, at!), Buffer.alloc(bytes.length));
    await door.store.operator.verifyStorage('local');
    await sealedPackage(door.registry, { 'b.txt': bytes }, { name: 'brought again' });
    const places = page.getByRole('region', { name: 'Where its bytes are' });
    await view.open(`packages/${record.id}/files/a.txt`);
    await page.getByText('copies and deletions are logged by place, verifications by backend').waitFor();
    await view.assertAccessible();
    await page.getByRole('link', { name: 'Events of its bytes' }).click();
    await page.getByRole('cell', { name: 'Bytes repaired' }).waitFor();
    await view.open(`packages/${record.id}/files/a.txt`);
    await places.getByRole('link', { name: 'Verifications of local' }).click();
    await page.getByRole('cell', { name: 'Stored bytes found damaged or missing' }).waitFor();
    await door.registry.packages.abandon(record.id);
    await door.store.operator.collect();
    await view.open(`packages/${record.id}/files/a.txt`);
    await places.getByText('deleted', { exact: true }).waitFor();
    await places.getByRole('link', { name: 'Copied, deleted' }).click();
    await page.getByRole('cell', { name: 'Location deleted' }).waitFor();
    assert.equal(await page.getByRole('button', { name: /^Details of event/ }).count(), 1);
    view.assertNothingWrong();
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
    // Nobody is led to events that are not shown to them, as if there were none.
    await page.getByRole('link', { name: 'Packages', exact: true }).click();
    await page.getByRole('link', { name: 'third one' }).first().click();
    await page
      .getByRole('treeitem', { name: /a\.txt/ })
      .getByRole('link')
      .click();
    await page.getByText('Their verifications and repairs are shown to those with the right to observe').waitFor();
    await page.getByRole('link', { name: 'Copied, deleted' }).waitFor();
    assert.equal(await page.getByRole('link', { name: /Events of its bytes|Verifications of/ }).count(), 0);
    await view.assertAccessible();
    await page.getByRole('link', { name: 'Events', exact: true }).click();
    await page.getByText('You see a part of the log, and a part has no chain').waitFor();
    identity.end();
    await page.getByRole('dialog').getByText('The token has expired.').waitFor({ timeout: 40_000 });
    await view.signIn();
    await page.getByText('What was read is unaltered').waitFor();
    await sealedPackage(view.door.registry, { 'a.txt': 'last' }, { name: 'fourth one' });
    await page.getByText('fourth one').first().waitFor();
  });
});
