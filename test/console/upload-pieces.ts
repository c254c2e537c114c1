import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page, Request } from 'playwright-core';

/** Longer than three pieces, and other bytes each time: those that the registry has are not sent. */
export const newLarge = (): Buffer => randomBytes(20_000_000);

export function withDirectory(): { path(name: string): string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-dropped-'));
  return { path: (name) => join(directory, name), remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** Lets so many pieces through, and says when the next is held. Held ones never arrive. */
export async function holdPieces(page: Page, after: number): Promise<{ readonly held: Promise<void>; readonly from: readonly number[] }> {
  const { promise: held, resolve } = Promise.withResolvers<void>();
  const from: number[] = [];
  await page.route(/\/uploads\/[^/]+$/, async (route) => {
    if (route.request().method() !== 'PATCH') return await route.continue();
    from.push(offsetOf(route.request()));
    if (from.length <= after) return await route.continue();
    resolve();
  });
  return { held, from };
}

export function offsetOf(request: Request): number {
  return Number(request.headers()['upload-offset']);
}

/** Where pieces begin from now on. */
export function watchPieces(page: Page): readonly number[] {
  const from: number[] = [];
  page.on('request', (request) => void (request.method() === 'PATCH' && from.push(offsetOf(request))));
  return from;
}
