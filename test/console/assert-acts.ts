import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Page } from 'playwright-core';

/**
 * The buttons beside the heading of a package, in their order. They are compared when the page has all that they depend
 * on; what was done a moment ago is seen a moment later.
 */
export async function assertActs(page: Page, expected: readonly string[]): Promise<void> {
  await page.locator('.story').waitFor();
  await page.locator('.loading').first().waitFor({ state: 'detached' });
  const buttons = page.locator('.page-beside button').filter({ hasNotText: 'Download as tar' });
  let acts = await buttons.allInnerTexts();
  for (let tries = 0; tries < 600 && !isDeepStrictEqual(acts, expected); tries++) {
    await page.waitForTimeout(50);
    acts = await buttons.allInnerTexts();
  }
  assert.deepEqual(acts, expected);
}
