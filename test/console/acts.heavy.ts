import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Route } from 'playwright-core';
import type { Package } from '../../src/registry/REGISTRY.ts';
import { assertActs } from './assert-acts.ts';
import { assertFocus } from './assert-focus.ts';
import { narrowIdentity, narrowToken } from './narrow-identity.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

const evil = '<img src=x onerror=alert(1)> $(id) \'"';

describe('acts on a package in the console', { skip: noBrowser }, () => {
  let view: Console;
  before(async () => {
    view = await openConsole({ identity: await narrowIdentity({ role: 'keeper', producers: [{ exact: 'ci' }] }) });
    await view.page.goto(`${view.url}packages`);
    await view.page.getByLabel('Keep it until this tab is closed').check();
    await view.signIn();
  });
  after(() => view[Symbol.asyncDispose]());

  const openPackage = async (): Promise<Package> => {
    const { registry } = view.door;
    const { record } = await registry.packages.create({ name: 'to seal', producer: 'ci', subject: 's', retention_class: 'transient' });
    return record;
  };
  const add = async (id: string, relative_path: string, text: string): Promise<void> => {
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(text);
    }
    await view.door.registry.files.add(id, { relative_path, body: body() });
  };

  test('a hold is applied with its reason, undone, applied again and released, by the keyboard', async () => {
    const { page } = view;
    const record = await sealedPackage(view.door.registry, { 'a.txt': 'x' });
    await view.open(`packages/${record.id}`);
    await assertActs(page, ['Hold', 'Keep longer']);
    const hold = page.getByRole('button', { name: 'Hold', exact: true });
    await hold.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('whatever its retention class says').waitFor();
    await assertFocus(page, 'name', 'reason');
    await view.assertAccessible();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await assertFocus(page, 'textContent', 'Hold');

    await page.keyboard.press('Enter');
    await page.keyboard.type('   ');
    view.expectRefusals();
    await dialog.getByRole('button', { name: 'Hold it' }).press('Enter');
    await dialog.getByText('Say why, in a few words.').waitFor();
    await page.locator('[name=reason]:focus').waitFor();
    await view.assertAccessible();
    await page.getByLabel('Reason').fill(evil);
    await dialog.getByText('Do the same in a terminal').click();
    await dialog.getByText(`artifactstore retention hold ${record.id} --reason '<img src=x onerror=alert(1)> $(id) '\\''"'`).waitFor();
    await dialog.getByRole('button', { name: 'Hold it' }).press('Enter');
    await page.getByRole('status').getByText(`The hold “${evil}” was applied.`).waitFor();
    await page.locator('.notice:focus').waitFor();
    await page.getByText(evil).first().waitFor();
    await view.assertAccessible();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('The hold was released again.').waitFor();
    await page.getByText('undone right after it was applied').first().waitFor();

    const { id } = await view.door.registry.retention.hold(record.id, { reason: 'another one' });
    await page.reload();
    await page.getByRole('button', { name: 'Release hold “another one”' }).click();
    await dialog.getByText('kept only as long as').waitFor();
    await page.getByLabel('Reason').fill('no longer needed');
    await view.assertAccessible();
    await dialog.getByRole('button', { name: 'Release it' }).click();
    await page.getByText('The hold was released.', { exact: true }).waitFor();
    const kept = await view.door.registry.retention.show(record.id);
    const released = kept.holds.find((each) => each.id === id)!;
    assert.equal(released.release_reason, 'no longer needed');
    assert.equal(released.released_by, 'tester');
    assert.equal(kept.holds.find((each) => each.reason === evil)!.release_reason, 'undone right after it was applied');
    view.assertNothingWrong();
  });

  test('each hold has one button: the one that was just applied is undone, the other one is released', async () => {
    const { page } = view;
    const record = await sealedPackage(view.door.registry, { 'a.txt': 'x' });
    await view.door.registry.retention.hold(record.id, { reason: 'the first' });
    await page.clock.install();
    await view.open(`packages/${record.id}`);
    await page.getByRole('button', { name: 'Hold', exact: true }).click();
    await page.getByLabel('Reason').fill('the second');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Hold it' }).click();
    const second = page.getByRole('list', { name: 'Holds in force' }).getByRole('listitem').filter({ hasText: 'the second' });
    await second.getByText('applied just now: it can be undone above').waitFor();
    assert.deepEqual(await page.getByRole('button', { name: /Release|Undo/ }).allInnerTexts(), ['Undo', 'Release hold']);
    assert.equal(await page.getByRole('button', { name: 'Copy the id of the hold “the second”' }).count(), 1);
    await view.assertAccessible();
    // Two minutes later it is released as any other, and the focus is not lost.
    await page.getByRole('button', { name: 'Undo' }).focus();
    await page.clock.fastForward(121_000);
    await second.getByRole('button', { name: 'Release hold “the second”' }).waitFor();
    await page.locator('.notice:focus').waitFor();
    await page.getByRole('button', { name: 'Undo' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Release hold “the first”' }).click();
    await dialog.getByText('“the first”, applied by').waitFor();
    await dialog.getByText('Another hold still keeps the package.').waitFor();
    await view.assertAccessible();
    await dialog.getByRole('button', { name: 'Release it' }).click();
    await page.getByText('The hold was released.', { exact: true }).waitFor();
    const { holds } = await view.door.registry.retention.show(record.id);
    assert.deepEqual(
      holds.filter(({ released_at }) => released_at === null).map(({ reason }) => reason),
      ['the second'],
    );
    view.assertNothingWrong();
  });

  test('a package is kept longer, never shorter, and what is wrong is told at the field', async () => {
    const { page } = view;
    const record = await sealedPackage(view.door.registry, { 'a.txt': 'x' });
    await view.open(`packages/${record.id}`);
    await page.getByRole('button', { name: 'Keep longer' }).click();
    const dialog = page.getByRole('dialog');
    await assertFocus(page, 'type', 'date');
    await dialog.getByRole('button', { name: 'Keep it longer' }).click();
    await dialog.getByText('Choose a day.').waitFor();
    await page.getByLabel('Keep it until the end of').fill('2020-01-01');
    await dialog.getByRole('button', { name: 'Keep it longer' }).click();
    await page.locator('#until-problem').getByText('later day: it has to end after').waitFor();
    assert.equal(await page.locator('#until-result').textContent(), '');
    await view.assertAccessible();
    await dialog.getByRole('button', { name: '30 days' }).click();
    const day = await page.getByLabel('Keep it until the end of').inputValue();
    await dialog.getByRole('button', { name: 'Keep it longer' }).click();
    await dialog.getByText('Say why, in a few words.').waitFor();
    await page.getByLabel('Reason').fill('an audit');
    await dialog.getByRole('button', { name: 'Keep it longer' }).click();
    await page.getByRole('status').getByText('Kept until').waitFor();
    const longer = Date.parse((await view.door.registry.packages.get(record.id))!.expires_at!);
    assert.equal(longer, new Date(`${day}T23:59:59`).getTime());
    assert.ok(longer > Date.parse(record.expires_at!) + 29 * 86_400_000);
    await page.getByRole('button', { name: 'Keep longer' }).click();
    await page.getByLabel('Keep it without an end').check();
    await page.getByLabel('Reason').fill('reference run');
    await dialog.getByRole('button', { name: 'Keep it longer' }).click();
    await page.getByText('It does not expire').waitFor();
    await assertActs(page, ['Hold']);
    view.assertNothingWrong();
  });

  test('of what is held it is not said that its time ends the keeping', async () => {
    const { page } = view;
    const record = await sealedPackage(view.door.registry, { 'a.txt': 'held' });
    await view.open(`packages/${record.id}`);
    await page.getByRole('button', { name: 'Keep longer' }).click();
    await page
      .getByRole('dialog')
      .getByText(/^It is kept until /)
      .waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await view.door.registry.retention.hold(record.id, { reason: 'wait' });
    await view.open(`packages/${record.id}`);
    await page.getByRole('button', { name: 'Release hold “wait”' }).waitFor();
    await page.getByRole('button', { name: 'Keep longer' }).click();
    await page
      .getByRole('dialog')
      .getByText(/^It is held now, and kept as long as that\./)
      .waitFor();
    assert.equal(await page.getByText(/It is kept until/).count(), 0);
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    view.assertNothingWrong();
  });

  test('what is sealed is what was seen: a file that another tab adds meanwhile stops it', async () => {
    const { page } = view;
    const record = await openPackage();
    await view.open(`packages/${record.id}`);
    await assertActs(page, ['Hold', 'Keep longer', 'Abandon']);
    await add(record.id, 'a.txt', 'first');
    await add(record.id, 'ä "quoted" \u2028.txt', 'second');
    await page.reload();
    await assertActs(page, ['Seal', 'Hold', 'Keep longer', 'Abandon']);
    view.expectRefusals();
    // Between the reading of the list and the request that seals.
    const meanwhile = async (route: Route): Promise<void> => {
      await add(record.id, 'late.txt', 'late');
      await route.continue();
    };
    await page.route(/\/finalize$/, meanwhile, { times: 1 });
    await page.getByRole('button', { name: 'Seal', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('its manifest names these 2 files').waitFor();
    await view.assertAccessible();
    await dialog.getByRole('button', { name: 'Seal it' }).click();
    await dialog.getByText('precondition_failed').waitFor();
    await dialog.getByText('its manifest names these 3 files').waitFor();
    assert.equal((await view.door.registry.packages.get(record.id))!.status, 'created');
    await view.assertAccessible();
    await dialog.getByRole('button', { name: 'Seal it' }).click();
    await page.getByText('Sealed. The command below fetches it').waitFor();
    await page.getByText(`artifactstore pull ${record.id} ./to-seal --api-url ${view.door.url}`).waitFor();
    assert.equal((await view.door.registry.packages.get(record.id))!.file_count, 3);
    await view.assertAccessible();
    await assertActs(page, ['Hold', 'Keep longer']);
    view.assertNothingWrong();
  });

  test('two tabs: what one has done is told in the other, which then shows it', async () => {
    const record = await openPackage();
    await add(record.id, 'a.txt', 'x');
    const { page } = view;
    await view.open(`packages/${record.id}`);
    const second = await view.tab();
    await second.goto(`${view.url}packages/${record.id}`);
    await second.getByLabel('Token').waitFor();
    await second.getByLabel('Token').fill('a-token-for-tests-0123456789');
    await second.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Abandon' }).click();
    await second.getByRole('button', { name: 'Seal', exact: true }).click();
    await second.getByRole('button', { name: 'Seal it' }).click();
    await second.getByText('Sealed. The command below').waitFor();
    await second.close();
    view.expectRefusals();
    await page.getByRole('dialog').getByRole('button', { name: 'Abandon it' }).click();
    await page.getByRole('dialog').getByText('package_not_open').waitFor();
    await page.getByRole('dialog').getByText('The package has changed since this page showed it').waitFor();
    await view.assertAccessible();
    await page.keyboard.press('Escape');
    await assertActs(page, ['Hold', 'Keep longer']);
    view.assertNothingWrong();
  });

  test('a package is abandoned, but not while it is held', async () => {
    const record = await openPackage();
    await view.door.registry.retention.hold(record.id, { reason: 'wait' });
    const { page } = view;
    await view.open(`packages/${record.id}`);
    await assertActs(page, ['Hold', 'Keep longer']);
    await page.getByRole('button', { name: 'Release hold “wait”' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Release it' }).click();
    await page.getByRole('button', { name: 'Abandon' }).click();
    await page.getByRole('dialog').getByText('It holds no file.').waitFor();
    await view.assertAccessible();
    await page.getByRole('dialog').getByRole('button', { name: 'Abandon it' }).click();
    await page.getByText('Abandoned. What happened to it').waitFor();
    await page.locator('.page-beside').getByText('Abandoned', { exact: true }).waitFor();
    assert.equal((await view.door.registry.packages.get(record.id))!.status, 'abandoned');
    await assertActs(page, []);
    view.assertNothingWrong();
  });

  test('an act without an answer is not said to be done, and not said to have failed', async () => {
    const record = await sealedPackage(view.door.registry, { 'a.txt': 'x' });
    const { page } = view;
    await view.open(`packages/${record.id}`);
    await page.getByRole('button', { name: 'Hold', exact: true }).click();
    await page.getByLabel('Reason').fill('lost answer');
    // It is done, and the answer is lost on the way.
    view.expectCuts();
    await page.route(/\/holds$/, async (route) => {
      await route.fetch();
      await route.abort('connectionreset');
    });
    await page.getByRole('dialog').getByRole('button', { name: 'Hold it' }).click();
    await page.getByText('nobody knows here whether it was done').waitFor();
    await page.unroute(/\/holds$/);
    await page.keyboard.press('Escape');
    await page.getByText('lost answer').first().waitFor();
    view.assertNothingWrong();
  });

  test('nobody sees a button that is not theirs to press', async () => {
    const mine = await sealedPackage(view.door.registry, { 'a.txt': 'x' });
    const open = await openPackage();
    await add(open.id, 'a.txt', 'x');
    const { page } = view;
    await view.open();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await view.signIn(narrowToken);
    const link = async (id: string): Promise<void> => {
      await page.getByLabel('Search').fill(id);
      await page.keyboard.press('Enter');
      await page.waitForURL(`**/packages/${id}`);
    };
    await link(mine.id);
    await assertActs(page, ['Hold', 'Keep longer']);
    await link(open.id);
    await assertActs(page, ['Hold', 'Keep longer']);
    view.assertNothingWrong();
  });
});
