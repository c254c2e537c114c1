import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calmest, traceMainThread } from './main-thread.ts';
import { noBrowser, openConsole } from './open-console.ts';

const producers = 101;
/** Milliseconds of processor time. */
const longestTask = 50;
/** Drawn at once, of all of the table. */
const mostRows = 250;

test('a usage of hundreds of producers and classes draws the rows that are seen', { skip: noBrowser, timeout: 300_000 }, async () => {
  await using view = await openConsole({ anonymousRead: true });
  const { page, door } = view;
  const classes = (await door.registry.retention.classes()).map(({ slug }) => slug);
  const last = 'team-99';
  for (let index = 0; index < producers; index++)
    for (const retention_class of classes)
      await door.registry.packages.create({ name: 'n', producer: `team-${index}`, subject: 's', retention_class });
  await view.open('access');
  const table = page.getByRole('region', { name: 'Producers and classes' });
  const open = async (): Promise<void> => {
    await page.goto(`${view.url}usage`);
    await table.getByText('team-0').first().waitFor();
  };
  const opened = await calmest(
    () => traceMainThread(page, open),
    (found) => found.longestTask < longestTask,
  );
  assert.ok(opened.longestTask < longestTask, opened.because);
  assert.ok((await page.getByRole('row').count()) < mostRows);
  await view.assertAccessible();
  const width = await table.getByRole('columnheader').first().boundingBox();
  await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
  await table.getByRole('cell', { name: last, exact: true }).last().waitFor();
  assert.ok((await page.getByRole('row').count()) < mostRows);
  // Columns stay where they are, whatever rows are drawn.
  assert.equal((await table.getByRole('columnheader').first().boundingBox())?.width, width?.width);
  await view.assertAccessible();
  view.assertNothingWrong();
});
