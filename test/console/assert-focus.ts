import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';

/** The focus follows what was done with the next pictures: it is waited for as a person would, and no longer. */
export async function assertFocus(page: Page, of: string, expected: string | RegExp): Promise<void> {
  const seen = async (): Promise<string> => String(await page.evaluate(`document.activeElement?.${of}`));
  const isThere = (value: string): boolean => (typeof expected === 'string' ? value === expected : expected.test(value));
  for (let tries = 0; tries < 60 && !isThere(await seen()); tries++) await pause(50);
  const value = await seen();
  assert.ok(isThere(value), `the focus is at "${value}", and should be at ${expected}`);
}
