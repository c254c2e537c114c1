import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { Package } from '../../src/registry/REGISTRY.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

describe('a package in the console', { skip: noBrowser }, () => {
  let view: Console;
  let record: Package;
  before(async () => {
    view = await openConsole({ anonymousRead: true });
    const files = { 'logs/build.log': 'built', 'logs/test/unit.log': 'passed', 'report.json': '{"ok":true}' };
    record = await sealedPackage(view.door.registry, files, { metadata: { branch: 'main', build: 7 } });
    await view.door.registry.retention.extend(record.id, { extend_by_seconds: 86_400, reason: 'an audit is announced' });
    await view.door.registry.retention.hold(record.id, { reason: 'the audit of November' });
  });
  after(() => view[Symbol.asyncDispose]());

  test('says why it is kept, what was decided, and what it holds', async () => {
    const { page } = view;
    await view.open(`packages/${record.id}`);
    await page.getByText('Held: nothing of it is deleted until the hold is released').waitFor();
    const story = page.locator('.story');
    await story.getByText('an audit is announced').waitFor();
    await page.getByRole('list', { name: 'Holds in force' }).getByText('the audit of November').waitFor();
    const otherwise = page.getByText('Otherwise it would be kept until');
    assert.match((await otherwise.textContent())!, /: extended by tester \(an audit is announced\)\.$/);
    await page.getByText('Its time ends').waitFor();
    // Steps of one day are told apart, and need no stop of the keyboard.
    assert.match((await story.locator('time').first().textContent())!, /\d:\d\d:\d\d/);
    assert.equal(await story.getByRole('button').count(), 0);
    await story.getByText(/^Sealed · tester$/).waitFor();
    await page.getByRole('treeitem', { name: /build\.log/ }).waitFor();
    await page.getByText(record.manifest_digest!).first().waitFor();
    await page.getByText('v1.package.finalized').waitFor();
    // Why, and until when, in one place.
    assert.deepEqual((await page.locator('main').textContent())!.match(/held/gi), ['Held']);
    await view.assertAccessible();
    view.assertNothingWrong();
  });

  test('says once how the same is done in a terminal, each part by its name', async () => {
    const { page } = view;
    const summary = page.getByText('Do the same in a terminal');
    assert.equal(await summary.count(), 1);
    await summary.click();
    assert.deepEqual(await page.locator('.by-hand h3').allInnerTexts(), [
      'The package',
      'Why it is kept',
      'Verify it and its manifest',
      'Its manifest',
      'Its events',
    ]);
    const lines = await page.locator('.by-hand code').allInnerTexts();
    assert.equal(new Set(lines).size, 9);
    assert.ok(lines.some((line) => line.startsWith(`artifactstore verify ${record.id} --digest ${record.manifest_digest}`)));
    await view.assertAccessible();
    await summary.click();
  });

  test('of its manifest alone it is not said that files were read', async () => {
    const { page } = view;
    await page.getByRole('button', { name: 'Verify the manifest in this browser' }).click();
    await page.getByText('The manifest is what was sealed; no file was read').waitFor();
    assert.equal(await page.getByText('it names these bytes').count(), 0);
  });

  test('its tree is walked by the keyboard', async () => {
    const { page } = view;
    const tree = page.getByRole('tree');
    await tree.focus();
    const active = async (): Promise<string> =>
      await page.evaluate(
        "document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).querySelector('.path').textContent",
      );
    assert.equal(await active(), 'logs/');
    await page.keyboard.press('ArrowDown');
    assert.equal(await active(), 'build.log');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await active(), 'logs/');
    await page.keyboard.press('ArrowLeft');
    assert.equal(await page.getByRole('treeitem').count(), 2);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('End');
    assert.equal(await active(), 'report.json');
    await page.getByPlaceholder('Part of a path').fill('UNIT');
    await page.getByText('1 of 3 files').waitFor();
    await page.getByRole('treeitem', { name: /logs\/test\/unit\.log/ }).waitFor();
    view.assertNothingWrong();
  });

  test('is saved as a tar, the same bytes as the interface gives', async () => {
    const { page } = view;
    const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download as tar' }).click()]);
    assert.equal(saved.suggestedFilename(), `${record.id}.tar`);
    const bytes = readFileSync((await saved.path())!);
    const expected = await (await view.door.call(`/packages/${record.id}/archive`)).arrayBuffer();
    assert.equal(Buffer.compare(bytes, Buffer.from(expected)), 0);
    view.assertNothingWrong();
  });

  test('that is not there is said so', async () => {
    view.expectRefusals();
    await view.page.goto(`${view.url}packages/01a229ba-8a40-7793-90b7-57ed9e2bf6f4`);
    await view.page.getByText('There is nothing at this address').waitFor();
    await view.assertAccessible();
    view.assertNothingWrong();
  });
});
