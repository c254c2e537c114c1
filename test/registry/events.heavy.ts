import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { event, fileEntry, ingested } from '../../src/database/conformance/events.ts';
import { openDatabase } from '../../src/database/open.ts';
import type { NewEvent } from '../../src/kernel/log/event.ts';
import { createAccess } from '../../src/registry/access.ts';
import { createEvents } from '../../src/registry/events.ts';
import { limits } from '../../src/registry/limits.ts';
import type { ScanEvents } from '../../src/registry/operations/events/scan.ts';
import { startPostgres } from '../postgres-server.ts';
import { eventsProperty } from './events-property.ts';
import type { OperationsWithEvents } from './operations-with-events.ts';

const operations = { url: new URL('./operations-with-events.ts', import.meta.url) };
const total = 200_000;

test('whatever is granted, asked for and cut, a reader is given its part of the log, with PostgreSQL too', async () => {
  const server = await startPostgres();
  try {
    const url = await server.createDatabase();
    const database = await openDatabase<OperationsWithEvents>({ kind: 'postgresql', url }, { operations, migrate: true });
    await eventsProperty(database, 100);
    await database.close();
  } finally {
    await server.stop();
  }
});

test('a reader of one in a hundred of many events has them by bounded reads, and others have theirs between them', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
  const database = await openDatabase<OperationsWithEvents>(
    { kind: 'sqlite', path: join(directory, 'r.db') },
    { operations, migrate: true },
  );
  after(async () => {
    await database.close();
    rmSync(directory, { recursive: true });
  });
  for (let written = 0; written < total; written += 2_000) {
    const events: NewEvent[] = [];
    for (let of100 = 0; of100 < 20; of100++) {
      const id = randomUUID();
      const producer = (written / 2_000) % 5 === 0 && of100 === 0 ? 'rare' : `producer-${of100}`;
      const payload = { id, name: 'n', producer, subject: 's', retention_class: 'transient', metadata: {}, metadata_schema_slug: null };
      events.push(event('v1.package.created', 'package', id, payload));
      for (let file = 1; file < 100; file++)
        events.push(ingested(fileEntry(randomUUID(), `f${file}`, id), id, randomUUID(), 0, file === 1));
    }
    await database.write('test.append', { events });
  }
  const reads: ScanEvents[] = [];
  const times: number[] = [];
  const counting: typeof database = {
    ...database,
    async read(name, input) {
      if (name === 'event.scan') reads.push(input as unknown as ScanEvents);
      const begun = performance.now();
      try {
        return await database.read(name, input);
      } finally {
        if (name === 'event.scan') times.push(performance.now() - begun);
      }
    },
  };
  const principal = { actor: 'r', share: 'r', grants: [{ role: 'reader', producers: [{ exact: 'rare' }] }] } as const;
  const events = createEvents(
    { database: counting },
    createAccess(principal, () => Promise.resolve(undefined)),
  );
  let found = 0;
  let pages = 0;
  let beside = 0;
  for (let since = 0; ; pages++) {
    const before = reads.length;
    const paging = events.encodedPage({ since, limit: 500 });
    // Another caller, in the meantime: it is answered between two stretches, not after the page.
    const answered = database.read('event.page', { since: 0, limit: 1, subject_kind: null, subject_id: null, event_type: null });
    if ((await Promise.race([answered.then(() => 'other'), paging.then(() => 'page')])) === 'other') beside += 1;
    const page = await paging;
    assert.ok(reads.length - before <= limits.eventsLookedAt / limits.eventStretch);
    found += page.item_count;
    since = page.next_since;
    if (since >= page.last_sequence) break;
  }
  assert.equal(found, 20 * 100);
  assert.ok(reads.every(({ span }) => span === limits.eventStretch));
  // Each event was looked at once.
  assert.ok(reads.length <= total / limits.eventStretch + pages + 1, `${reads.length} reads for ${pages + 1} pages`);
  assert.equal(beside, pages + 1);
  times.sort((left, right) => left - right);
  context.diagnostic(`${pages + 1} pages by ${reads.length} reads, half of them under ${times[times.length >> 1]?.toFixed(1)} ms`);
});
