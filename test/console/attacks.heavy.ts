import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { openIdentity } from '../../src/identity/open.ts';
import { token } from '../doors/rest/open-door.ts';
import { type Console, noBrowser, openConsole } from './open-console.ts';

/** A text that would act were it taken for markup; `of` tells one from another. */
const attack = (of: string): string => `"><img data-attack="${of}" src=x onerror="globalThis.attacked='${of}'"><b>`;
const script = (of: string): string => `javascript:globalThis.attacked='${of}'`;
const markup = `<!doctype html><title>taken over</title><script>globalThis.attacked='stored'</script><img data-attack src=x onerror="globalThis.attacked='stored'"><svg onload="globalThis.attacked='stored'">`;
const picture = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40" onload="globalThis.attacked='svg'"><script>globalThis.attacked='svg'</script><foreignObject><img xmlns="http://www.w3.org/1999/xhtml" src="x" onerror="globalThis.attacked='svg'"/></foreignObject></svg>`;

interface Stored {
  readonly path: string;
  readonly media_type: string;
  readonly text: string;
}

const stored: readonly Stored[] = [
  {
    path: `${attack('folder').replaceAll('/', '')}/${attack('path').replaceAll('/', '')}.txt`,
    media_type: 'text/plain',
    text: attack('content'),
  },
  { path: 'page.html', media_type: 'text/html', text: markup },
  { path: 'picture.svg', media_type: 'image/svg+xml', text: picture },
  {
    path: 'page.xhtml',
    media_type: 'application/xhtml+xml',
    text: `<html xmlns="http://www.w3.org/1999/xhtml"><body>${picture}</body></html>`,
  },
  {
    path: 'README.md',
    media_type: 'text/markdown',
    text: `# ${attack('heading')}\n\n[link](${script('link')}) ![picture](${script('picture')})\n\n${markup}`,
  },
  { path: 'typed.bin', media_type: `text/html;x="${attack('type').replaceAll('"', '')}"`, text: markup },
  { path: 'report.json', media_type: 'application/json', text: JSON.stringify({ [attack('key')]: attack('value'), link: script('json') }) },
  {
    path: 'junit.xml',
    media_type: 'application/xml',
    text: `<testsuite name="${attack('suite').replaceAll(/[<>"&]/g, (sign) => `&#${sign.charCodeAt(0)};`)}"><testcase name="&lt;img src=x onerror=globalThis.attacked=1&gt;"><failure message="&lt;script&gt;globalThis.attacked=1&lt;/script&gt;"/></testcase></testsuite>`,
  },
  {
    path: 'bom.json',
    media_type: 'application/vnd.cyclonedx+json',
    text: JSON.stringify({
      bomFormat: 'CycloneDX',
      specVersion: attack('spec'),
      metadata: { component: { name: attack('component'), version: script('version') } },
      components: [{ name: attack('part') }],
    }),
  },
];

describe('what others have written', { skip: noBrowser }, () => {
  let view: Console;
  let id = '';
  let fileIds: readonly string[] = [];
  let session = '';
  before(async () => {
    // Who acted has such a name too.
    view = await openConsole({ identity: await openIdentity({ tokens: [{ token, actor: attack('actor') }] }), anonymousRead: true });
    const registry = view.door.store.as(attack('actor'));
    const { record } = await registry.packages.create({
      name: attack('name'),
      producer: attack('producer'),
      subject: attack('subject'),
      retention_class: 'raw-evidence',
      metadata: { [attack('metadata key')]: attack('metadata value'), link: script('metadata'), deep: { list: [attack('metadata item')] } },
    });
    id = record.id;
    for (const { path, media_type, text } of stored)
      await registry.files.add(id, { relative_path: path, media_type, annotations: { note: attack('annotation') }, body: bytesOf(text) });
    await registry.packages.finalize(id);
    await registry.retention.hold(id, { reason: attack('hold') });
    fileIds = (await registry.files.list(id)).items.map((file) => file.id);
    const upload = await registry.uploads!.begin({ size_bytes: 5_000_000 });
    await registry.uploads!.append(upload.id, 0, bytesOf('abc'));
    session = (
      await registry.writeSessions!.open(
        {
          scope: 'deploy',
          producer: attack('session producer'),
          subject: attack('session subject'),
          namespace: attack('namespace'),
          retention_class: 'raw-evidence',
          objects: [{ name: `${attack('object').replaceAll('/', '')}.txt`, sha256: 'a'.repeat(64), size_bytes: 70_000 }],
          ttl_seconds: 3_600,
        },
        { idempotencyKey: 'one' },
      )
    ).record.id;
    await view.page.goto(view.url);
    await view.page.getByRole('button', { name: 'Sign in' }).click();
    await view.page.getByLabel('Keep it until this tab is closed').check();
    await view.signIn();
  });
  after(() => view[Symbol.asyncDispose]());

  test('is text on every page, and nothing of it acts', async () => {
    const { page } = view;
    const places: Readonly<Record<string, readonly string[]>> = {
      '': ['name', 'producer'],
      packages: ['name', 'subject', 'producer'],
      [`packages?${new URLSearchParams({ producer: attack('producer'), metadata: `link=${script('metadata')}` })}`]: ['name'],
      [`packages?${new URLSearchParams({ name: attack('asked'), subject: attack('asked') })}`]: ['asked'],
      [`packages/${id}`]: ['name', 'subject', 'producer', 'metadata key', 'metadata value', 'metadata item', 'hold', 'actor', 'folder'],
      storage: [],
      usage: ['producer'],
      uploads: ['namespace'],
      [`uploads?session=${session}`]: ['object', 'namespace'],
      'events?since=0': ['name', 'actor'],
      [`access?${new URLSearchParams({ producer: attack('asked') })}`]: ['asked', 'actor'],
      [`search?${new URLSearchParams({ q: attack('name') })}`]: ['name'],
      [`search?${new URLSearchParams({ q: attack('asked') })}`]: ['asked'],
      [`no-such-page/${encodeURIComponent(attack('asked'))}`]: [],
    };
    for (const [place, said] of Object.entries(places)) {
      await shown(place);
      await assertSaid(page, said, place);
      await assertNothingActed(page, place);
    }
    view.assertNothingWrong();
  });

  test('is text in the preview of each file, whatever its form and type', async () => {
    const { page } = view;
    for (const { path } of stored) {
      await shown(`packages/${id}/files/${path.split('/').map(encodeURIComponent).join('/')}`);
      await assertNothingActed(page, path);
    }
    view.assertNothingWrong();
  });

  test('is text in what is asked before an act, and in the details of each event', async () => {
    const { page } = view;
    await view.open(`packages/${id}`);
    for (const name of [/^Release hold/, /^Keep longer$/]) {
      await page.getByRole('button', { name }).first().click();
      await page.getByRole('dialog').waitFor();
      await assertNothingActed(page, String(name));
      await page.keyboard.press('Escape');
    }
    await view.open('events?since=0');
    // New rows are put before those that are there: all have come before any is opened.
    await page.getByText(`read up to no. ${await view.door.lastSequence()}`).waitFor();
    const details = page.getByRole('button', { name: /^Details of event/ });
    for (const each of await details.all()) await each.click();
    await assertSaid(page, ['metadata value', 'annotation', 'hold', 'path'], 'events');
    await assertNothingActed(page, 'events');
    view.assertNothingWrong();
  });

  test('is saved, and not opened, where its own address is', async () => {
    const { page } = view;
    for (const each of fileIds) {
      const [saved] = await Promise.all([
        page.waitForEvent('download'),
        page.goto(`${view.door.url}/files/${each}/download`).catch(() => undefined),
      ]);
      await saved.cancel();
    }
    await assertNothingActed(page, 'download');
  });

  async function shown(place: string): Promise<void> {
    const { page, url } = view;
    await page.goto(`${url}${place}`);
    await page.locator('h1').first().waitFor();
    await page.locator('.loading').first().waitFor({ state: 'detached' });
    await page.waitForLoadState('load');
    for (const summary of await page.locator('main summary').all()) await summary.click();
    await page.locator('.loading').first().waitFor({ state: 'detached' });
  }
});

/** What each of these has written can be read, when all of it has come. */
async function assertSaid(page: Page, said: readonly string[], place: string): Promise<void> {
  const missing = async (): Promise<readonly string[]> => {
    const text = await wordsOf(page);
    return said.filter((each) => !text.includes(`data-attack="${each}"`));
  };
  for (let waited = 0; waited < 300 && (await missing()).length > 0; waited++) await page.waitForTimeout(100);
  assert.deepEqual(await missing(), [], place);
}

/** What a person reads and what fields hold; what is shown as JSON without its escapes. */
async function wordsOf(page: Page): Promise<string> {
  const text = await page.evaluate<string>(
    `[document.body.innerText, ...[...document.querySelectorAll('input')].map(({ value }) => value)].join('\\n')`,
  );
  return text.replaceAll('\\"', '"');
}

/** Nothing ran, no element came of a text, and no link or frame leads to a script. */
async function assertNothingActed(page: Page, place: string): Promise<void> {
  const found = await page.evaluate<readonly string[]>(`[
    ...(globalThis.attacked === undefined ? [] : ['ran: ' + globalThis.attacked]),
    ...[...document.querySelectorAll('[data-attack], main script, main style, main b, [onerror], [onload]')].map(({ outerHTML }) => outerHTML),
    ...[...document.querySelectorAll('[href], [src], [action], [srcdoc]')]
      .filter((each) => /^\\s*javascript:/i.test(each.getAttribute('href') ?? each.getAttribute('src') ?? each.getAttribute('action') ?? ''))
      .map(({ outerHTML }) => outerHTML),
    ...(/taken over/.test(document.title) ? ['title: ' + document.title] : []),
  ]`);
  assert.deepEqual(found, [], place);
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
