import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { packageCreated } from '../../src/database/conformance/events.ts';
import { openDatabase } from '../../src/database/open.ts';
import type { Grant } from '../../src/kernel/access.ts';
import { decodeCbor } from '../../src/kernel/format/cbor.ts';
import { createAccess } from '../../src/registry/access.ts';
import { createEvents } from '../../src/registry/events.ts';
import { eventsProperty } from './events-property.ts';
import { madeUpLog } from './made-up-log.ts';
import type { OperationsWithEvents } from './operations-with-events.ts';

const directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
const operations = { url: new URL('./operations-with-events.ts', import.meta.url) };
const database = await openDatabase<OperationsWithEvents>(
  { kind: 'sqlite', path: join(directory, 'registry.db') },
  { operations, migrate: true },
);
after(async () => {
  await database.close();
  rmSync(directory, { recursive: true });
});

const reader = (...grants: Grant[]) => createAccess({ actor: 'who', share: 'who', grants }, () => Promise.resolve(undefined));

test('whatever is granted, asked for and cut, a reader is given its part of the log', async () => {
  await eventsProperty(database, 50);
});

test('a reader who waits looks at each event of others once, and at many of them together', async () => {
  const log = madeUpLog();
  const append = async (count: number, producer: string): Promise<void> => {
    for (let index = 0; index < count; index++)
      await database.write('test.append', { events: log.next(1, producer).map(([event]) => event) });
  };
  await append(3, 'watched');
  const { last_sequence } = await createEvents({ database }, reader()).page();
  const scans: { readonly since: number; readonly next: number }[] = [];
  const counting: typeof database = {
    ...database,
    async read(name, input) {
      const output = await database.read(name, input);
      if (name === 'event.scan') {
        const { next_since: next } = output as unknown as { readonly next_since: number };
        scans.push({ since: (input as unknown as { readonly since: number }).since, next });
      }
      return output;
    },
  };
  const events = createEvents({ database: counting }, reader({ role: 'reader', producers: [{ exact: 'watched' }] }));
  const waiting = events.page({ since: last_sequence, wait_seconds: 30 });
  await append(40, 'busy');
  await append(1, 'watched');
  const { items } = await waiting;
  assert.deepEqual(
    items.map(({ sequence }) => sequence),
    [last_sequence + 41],
  );
  // Each begins where the one before ended, and they are far fewer than the events.
  assert.deepEqual(
    scans.slice(1).map(({ since }) => since),
    scans.slice(0, -1).map(({ next }) => next),
  );
  assert.ok(scans.length < 20, `${scans.length} looks at 41 events`);
});

test('what is looked at for one page is bounded, and the page says where to go on', async () => {
  const log = madeUpLog();
  const { last_sequence: since } = await createEvents({ database }, reader()).page();
  for (let index = 0; index < 30; index++) await database.write('test.append', { events: log.next(1, 'busy').map(([event]) => event) });
  const events = createEvents({ database }, reader({ role: 'reader', producers: [{ exact: 'quiet' }] }), {
    eventStretch: 4,
    eventsLookedAt: 12,
  });
  const page = await events.page({ since, wait_seconds: 30 });
  assert.deepEqual(page, { items: [], next_since: since + 12, last_sequence: since + 30 });
});

test('an event of which nobody knows any more whose it is, is shown to nobody who sees a part', async () => {
  const log = madeUpLog();
  const { last_sequence: since } = await createEvents({ database }, reader()).page();
  for (const pick of [0, 1, 1]) await database.write('test.append', { events: log.next(pick, 'forgotten').map(([event]) => event) });
  const events = createEvents({ database }, reader({ role: 'reader', producers: [{ exact: 'forgotten' }] }));
  const kinds = async () => (await events.page({ since })).items.map(({ subject_kind }) => subject_kind);
  assert.deepEqual(await kinds(), ['package', 'file', 'file']);
  using views = new DatabaseSync(join(directory, 'registry.db'));
  views.exec("delete from artifact_files where package_id in (select id from artifact_packages where producer = 'forgotten')");
  assert.deepEqual(await kinds(), ['package']);
});

test('an event whose payload is longer than a page has no place in the chain for whoever sees a part of the log', async () => {
  const { last_sequence: since } = await createEvents({ database }, reader()).page();
  const id = randomUUID();
  await database.write('test.append', { events: [packageCreated(id, 'n', { long: 'x'.repeat(2_200_000) })] });
  const chainFor = async (...grants: Grant[]): Promise<unknown> => {
    const page = await createEvents({ database }, reader(...grants)).encodedPage({ since });
    assert.ok(page.long !== null && page.long.size_bytes > 2_200_000);
    const { items } = decodeCbor(page.bytes) as { readonly items: readonly { readonly chain_digest: unknown }[] };
    return items[0]!.chain_digest;
  };
  assert.equal(await chainFor({ role: 'reader', producers: [{ glob: '*' }] }), null);
  assert.equal(typeof (await chainFor({ role: 'admin', producers: [{ glob: '*' }] })), 'string');
});
