import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import { writeGuideBoardRun } from '../guide-board-run.ts';

/**
 * `node tools/pictures/console.ts`: keeps a made-up run of guide-board in a server of its own, looks at it in the
 * console that the clone has built, and writes docs/pictures/console.png, which README.md shows.
 */
const root = join(import.meta.dirname, '..', '..');
const picture = join(root, 'docs', 'pictures', 'console.png');
const entry = join(root, 'bin', 'artifactstore.js');
const browserPath = process.env.ARTIFACTSTORE_TEST_CHROMIUM ?? '/usr/bin/chromium';
/** What a reader of the README loads. */
const mostBytes = 150_000;
const place = mkdtempSync(join(tmpdir(), 'artifactstore-picture-'));
writeGuideBoardRun(join(place, 'run-20260513T210255Z'));

const server = spawn(process.execPath, [entry, 'dev', '--json', '--port', '0'], { cwd: place, stdio: ['ignore', 'pipe', 'inherit'] });
try {
  const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
  const { url, token_file: tokenFile } = JSON.parse(line) as { readonly url: string; readonly token_file: string };
  const env: NodeJS.ProcessEnv = { ...process.env, ARTIFACTSTORE_API_URL: url };
  // Nobody must hear of a run that is invented.
  delete env.STATE_HUB_URL;
  const command = (...args: readonly string[]): string =>
    execFileSync(process.execPath, [entry, ...args, '--json'], { cwd: place, env, encoding: 'utf8' });
  const { package_id: id } = JSON.parse(command('guide-board', 'ingest', 'run-20260513T210255Z')) as { readonly package_id: string };
  command('retention', 'hold', id, '--reason', 'the audit of November');
  await draw(`${url}/console/packages/${id}`, readFileSync(tokenFile, 'utf8').trim());
} finally {
  server.kill('SIGTERM');
  if (server.exitCode === null) await once(server, 'exit');
  rmSync(place, { recursive: true, force: true });
}
const { size } = statSync(picture);
if (size > mostBytes) throw new Error(`${picture} has ${size} bytes; at most ${mostBytes} are good in a README.`);

async function draw(address: string, token: string): Promise<void> {
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const page = await browser.newPage({ viewport: { width: 1200, height: 800 }, colorScheme: 'light', locale: 'en-GB' });
    await page.goto(address);
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await page.getByRole('treeitem').first().waitFor();
    await page.getByText('the audit of November').first().waitFor();
    await page.waitForLoadState('networkidle');
    await page.mouse.move(0, 0);
    await page.screenshot({ path: picture, animations: 'disabled' });
  } finally {
    await browser.close();
  }
}
