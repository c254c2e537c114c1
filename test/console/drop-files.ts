import type { Page } from 'playwright-core';

/** Drops files and folders of this computer on an element, as a person does: the browser reads them from the disk. */
export async function dropFiles(page: Page, ...paths: readonly string[]): Promise<void> {
  const target = page.locator('.drop');
  await target.scrollIntoViewIfNeeded();
  const box = (await target.boundingBox())!;
  const session = await page.context().newCDPSession(page);
  const at = { x: box.x + box.width / 2, y: box.y + 20 };
  const data = { items: [], files: [...paths], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) await session.send('Input.dispatchDragEvent', { type, ...at, data });
  await session.detach();
}
