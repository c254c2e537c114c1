import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { buildConsole, writeConsole } from '../../tools/build-console.ts';
import { type Door, type DoorOptions, openDoor, token } from '../doors/rest/open-door.ts';

/** No other host is looked up, and none is waited for: pages of an issuer name some. */
const args = ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost'];
const browserPath = process.env.ARTIFACTSTORE_TEST_CHROMIUM ?? '/usr/bin/chromium';

/** Why there is no browser to test with, for `skip`; false where there is one. */
export const noBrowser: string | false = existsSync(browserPath)
  ? false
  : `there is no browser at ${browserPath}; ARTIFACTSTORE_TEST_CHROMIUM names another Chromium`;

export interface ConsoleOptions extends DoorOptions {
  /** Of the browser: its size, its colours, how much may move. */
  readonly browser?: BrowserContextOptions;
  /** What a browser asks instead of the server, such as a proxy before it. */
  before?(url: string): Promise<string>;
}

/** A real server with a real store, and its console in a real browser. */
export interface Console extends AsyncDisposable {
  readonly door: Door;
  readonly page: Page;
  /** Where the console is, with its slash. */
  readonly url: string;
  /** Everything that was wrong so far and may never be: see `assertNothingWrong`. */
  readonly wrong: string[];
  /** Opens an address below `/console/`, and waits for its heading. */
  open(path?: string): Promise<void>;
  /** Signs in, on whatever page the question is. */
  signIn(as?: string): Promise<void>;
  /** Refusals (4xx) that the browser writes into its console by itself are expected from now on. */
  expectRefusals(): void;
  /** The same for requests that a test cuts. Said before: what the browser writes may come later than what it draws. */
  expectCuts(): void;
  /** No error in the console, no violation of the policy, no request to another host. */
  assertNothingWrong(): void;
  /** No fault that axe finds on the page as it is. */
  assertAccessible(): Promise<void>;
  /** A second tab of the same browser. */
  tab(): Promise<Page>;
}

let built: URL | undefined;

/** The sources as they are now, built once a process. */
async function buildOnce(): Promise<URL> {
  if (built !== undefined) return built;
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-console-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  writeConsole(await buildConsole(), directory);
  built = pathToFileURL(`${directory}/`);
  return built;
}

export async function openConsole(options: ConsoleOptions = {}): Promise<Console> {
  const door = await openDoor({ consoleDirectory: await buildOnce(), ...options });
  const url = `${(await options.before?.(door.url)) ?? door.url}/console/`;
  const browser: Browser = await chromium.launch({ executablePath: browserPath, args, timeout: 180_000 });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options.browser });
  const wrong: string[] = [];
  let refusals = false;
  let cuts = false;
  await context.exposeFunction('policyViolated', (what: string) => void wrong.push(`policy: ${what}`));
  await context.addInitScript(
    "addEventListener('securitypolicyviolation', (event) => policyViolated(event.violatedDirective + ' ' + event.blockedURI));",
  );
  const watch = (page: Page): Page => {
    page.setDefaultTimeout(30_000);
    page.on('console', (message) => {
      const isCut = /^Failed to load resource: net::ERR_(FAILED|ABORTED|CONNECTION)/.test(message.text());
      const expected = (refusals && message.text().startsWith('Failed to load resource')) || (cuts && isCut);
      if (message.type() === 'error' && !expected) wrong.push(`console: ${message.text()} ${message.location().url}`);
    });
    page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
    page.on('request', (request) => {
      const asked = new URL(request.url());
      if (asked.protocol !== 'blob:' && asked.protocol !== 'data:' && asked.origin !== new URL(url).origin)
        wrong.push(`another host: ${request.url()}`);
    });
    return page;
  };
  const page = watch(await context.newPage());
  return {
    door,
    page,
    url,
    wrong,
    async open(path = '') {
      await page.goto(`${url}${path}`);
      await page.locator('h1').first().waitFor();
    },
    async signIn(as = token) {
      await page.getByLabel('Token').fill(as);
      await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    },
    expectRefusals() {
      refusals = true;
    },
    expectCuts() {
      cuts = true;
    },
    assertNothingWrong() {
      assert.deepEqual(wrong, []);
    },
    assertAccessible: () => assertAccessible(page),
    tab: async () => watch(await context.newPage()),
    async [Symbol.asyncDispose]() {
      await browser.close();
      await door[Symbol.asyncDispose]();
    },
  };
}

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

async function assertAccessible(page: Page): Promise<void> {
  await page.evaluate(readFileSync(axe, 'utf8'));
  // Colours that are on their way to others have no contrast of their own.
  await page.evaluate('Promise.allSettled(document.getAnimations().map(({ finished }) => finished)).then(() => undefined)');
  const found = await page.evaluate<string[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
       violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => id + ': ' + help + ': ' + html)))`,
  );
  assert.deepEqual(found, [], page.url());
}
