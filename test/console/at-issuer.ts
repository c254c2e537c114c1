import type { Page } from 'playwright-core';
import type { Console } from './open-console.ts';

/** What a person does at the issuer's own pages, where any password is right. */
export async function passIssuer(page: Page, person: string): Promise<void> {
  await page.locator('input[name="login"]').fill(person);
  await page.locator('input[name="password"]').fill('any');
  await page.locator('button[type="submit"]').click();
  await page.getByRole('button', { name: /continue/i }).click();
}

/** What was wrong in the console so far; what the issuer's own pages ask for is not its. */
export function wrongBesideIssuer({ wrong }: Console, issuer: string): readonly string[] {
  const ofIssuer = [`another host: ${issuer}`, 'another host: https://fonts.googleapis.com/'];
  return wrong.filter((what) => !what.includes(issuer) && !ofIssuer.some((begin) => what.startsWith(begin)));
}
