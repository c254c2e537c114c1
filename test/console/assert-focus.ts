import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';

/** What has the focus may first have to come from the server, as rows that were asked for do. */
const patience = 30_000;

/** The focus follows what was done with the next pictures. Where it is meanwhile may have nothing of this name. */
export async function assertFocus(page: Page, of: string, expected: string | RegExp): Promise<void> {
  const seen = async (): Promise<string> =>
    String(await page.evaluate(`(() => { try { return document.activeElement.${of}; } catch { return undefined; } })()`));
  const isThere = (value: string): boolean => (typeof expected === 'string' ? value === expected : expected.test(value));
  const begun = performance.now();
  let value = await seen();
  for (; !isThere(value) && performance.now() - begun < patience; value = await seen()) await pause(50);
  assert.ok(isThere(value), `the focus is at "${value}", and should be at ${expected}`);
}
