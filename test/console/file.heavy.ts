import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Package } from '../../src/registry/REGISTRY.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';
import { sealedPackage } from './sealed-package.ts';

const attack = '<img src=x onerror="document.title=1"><script>document.title=2</script><style>*{color:red}</style>';

describe('a file in the console', { skip: noBrowser }, () => {
  let view: Console;
  let record: Package;
  before(async () => {
    view = await openConsole({ anonymousRead: true });
    record = await sealedPackage(view.door.registry, {
      'dir/report #1.json': '{"ok":true,"n":[1,2]}',
      'page.html': attack,
      'README.md': `# Title\n\nText ${attack}\n\n| Case | Time |\n|---|--:|\n| one | ${attack.replaceAll('|', '')} |`,
      'junit.xml': '<testsuite><testcase/><testcase name="adds"><failure message="3 is not 4"/></testcase></testsuite>',
      'data.bin': '\0\x01',
      [`x${attack.replaceAll('/', '')}.txt`]: 'named to attack',
    });
    const picture = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><script>document.title=3</script><rect width="40" height="40" fill="#22643f"/></svg>`;
    const { record: pictures } = await view.door.registry.packages.create({
      name: 'pictures',
      producer: 'p',
      subject: 's',
      retention_class: 'transient',
    });
    await view.door.registry.files.add(pictures.id, {
      relative_path: 'a.svg',
      media_type: 'image/svg+xml',
      body: (async function* () {
        yield Buffer.from(picture);
      })(),
    });
    await view.door.registry.files.add(pictures.id, {
      relative_path: 'paper.pdf',
      media_type: 'application/pdf',
      body: (async function* () {
        yield Buffer.from('%PDF-1.4 <script>document.title=4</script>');
      })(),
    });
    await view.door.registry.files.add(pictures.id, {
      relative_path: 'no paper.pdf',
      media_type: 'application/pdf',
      body: (async function* () {
        yield Buffer.from('<html>');
      })(),
    });
    open = pictures.id;
  });
  let open = '';
  after(() => view[Symbol.asyncDispose]());
  const at = (path: string, id = record.id): string => `packages/${id}/files/${path.split('/').map(encodeURIComponent).join('/')}`;

  test('is shown by what it is, and verified here: bytes, manifest and log', async () => {
    const { page } = view;
    await view.open(`packages/${record.id}`);
    await page.getByRole('link', { name: 'report #1.json' }).click();
    await page.getByRole('heading', { name: 'report #1.json' }).waitFor();
    await page.getByText('"ok": true').waitFor();
    await page.getByRole('button', { name: 'Verify in this browser' }).click();
    await page.getByText('It is what was sealed').waitFor();
    await page.getByText('follows from the event before').waitFor();
    await page.getByText('artifactstore/').first().waitFor();
    await view.assertAccessible();
    view.assertNothingWrong();
  });

  test('that a server gives out damaged is said to be so', async () => {
    const { page } = view;
    // As a server would that has been tampered with: its own check of the bytes is not what the browser goes by.
    await page.route(/\/files\/[^/]+\/download$/, (route) => route.fulfill({ status: 200, body: '{"ok":tru3,"n":[1,2]}' }));
    await page.getByRole('button', { name: 'Verify in this browser' }).click();
    await page.getByText('It is not what was sealed').waitFor();
    await page.getByText('Their SHA-256 is another one.').waitFor();
    await view.assertAccessible();
    await page.unroute(/\/files\/[^/]+\/download$/);
    view.expectCuts();
    await page.route(/\/manifest$/, (route) => route.abort());
    await page.getByRole('button', { name: 'Verify in this browser' }).click();
    await page.getByText('Not everything could be verified').waitFor();
    await page.unroute(/\/manifest$/);
    view.assertNothingWrong();
  });

  test('that would act is shown as text, and nothing of it acts', async () => {
    const { page } = view;
    for (const path of ['page.html', 'README.md', `x${attack.replaceAll('/', '')}.txt`]) {
      await view.open(at(path));
      await page.getByText('<script>').first().waitFor();
      assert.match(await page.title(), /artifactstore$/);
      assert.equal(await page.locator('main img, main script, main style').count(), 0);
      view.assertNothingWrong();
    }
    await view.open(at('a.svg', open));
    await page.locator('img.picture').waitFor();
    // Its place is there before its bytes are drawn.
    await page.evaluate('document.querySelector("img.picture").decode()');
    assert.equal(await page.evaluate('document.querySelector("img.picture").naturalWidth'), 40);
    assert.match(await page.title(), /artifactstore$/);
    await view.assertAccessible();
    view.assertNothingWrong();
  });

  test('of a known form is summed up, one of no known form is offered for a download', async () => {
    const { page } = view;
    await view.open(at('junit.xml'));
    await page.getByText('Failures').waitFor();
    assert.match((await page.getByRole('list', { name: 'Tests that failed' }).textContent())!, /adds failed3 is not 4/);
    await view.assertAccessible();
    await view.open(at('README.md'));
    await page
      .getByRole('region', { name: /^Table/ })
      .getByRole('cell', { name: 'one', exact: true })
      .waitFor();
    await view.assertAccessible();
    await view.open(at('data.bin'));
    await page.getByText('There is no preview').or(page.getByLabel('Preview')).first().waitFor();
    const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download' }).click()]);
    assert.equal(saved.suggestedFilename(), 'data.bin');
    await view.open(at('paper.pdf', open));
    await page.getByText('A PDF opens in your PDF reader').waitFor();
    await page.getByText('PDF 1.4, 42 bytes').waitFor();
    assert.equal(await page.locator('main iframe, main embed, main object').count(), 0);
    const [paper] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download', exact: true }).click()]);
    assert.equal(paper.suggestedFilename(), 'paper.pdf');
    await view.assertAccessible();
    await view.open(at('no paper.pdf', open));
    await page.getByText('It is called a PDF, and does not begin as one').waitFor();
    assert.equal(await page.getByText('A PDF opens in your PDF reader').count(), 0);
    view.assertNothingWrong();
  });

  test('of a package that is not sealed has bytes to verify, and no more is claimed', async () => {
    const { page } = view;
    await view.open(at('a.svg', open));
    await page.getByRole('button', { name: 'Verify in this browser' }).click();
    await page.getByText('It is what was stored; its package is not sealed').waitFor();
    assert.equal(await page.getByText('Not everything could be verified').count(), 0);
    await page.getByText('There is none: the package is not sealed.').first().waitFor();
    await page.getByText('are those of the record').waitFor();
    view.assertNothingWrong();
  });

  test('whose name reorders or hides text is not shown as another', async () => {
    const { page } = view;
    const [folder, name] = ['lo\u200bgs', 'photo\u202egnp.exe'];
    await sealedPackage(view.door.registry, { [`${folder}/${name}`]: 'not a picture' }, { name: 'nightly\u2066 run' });
    const unseen = /[\u200b\u202e\u2066]/;
    await view.open('packages');
    await page.getByRole('link', { name: 'nightly\ufffd run' }).click();
    // It is the name that is changed for the eye, and not the address.
    await page.getByRole('link', { name: 'photo\ufffdgnp.exe' }).waitFor();
    assert.doesNotMatch((await page.getByRole('tree').textContent())!, unseen);
    await page.getByRole('link', { name: 'photo\ufffdgnp.exe' }).click();
    await page.getByRole('heading', { name: 'photo\ufffdgnp.exe' }).waitFor();
    await page.getByText('not a picture').waitFor();
    assert.equal(decodeURIComponent(new URL(page.url()).pathname).split('/').at(-1), name);
    assert.doesNotMatch((await page.locator('.page-head').textContent())!, unseen);
    assert.doesNotMatch(await page.title(), unseen);
    view.assertNothingWrong();
  });
});
