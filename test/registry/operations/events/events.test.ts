import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openConnection } from '../../../../src/database/sqlite/connection.ts';
import { sqliteQueries } from '../../../../src/database/sqlite/dialect.ts';
import { openSqlite } from '../../../../src/database/sqlite/sqlite.ts';
import { decodeCbor, encodeCbor } from '../../../../src/kernel/format/cbor.ts';
import { readEvents, readShortEvents } from '../../../../src/registry/operations/events/events.ts';
import { operationsUrl } from '../../../../src/registry/operations/url.ts';

test('a page ends before 2 MiB of payload, and holds at least one event', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
  try {
    const path = join(directory, 'registry.db');
    await (await openSqlite({ path, operations: { url: operationsUrl }, migrate: true })).close();
    const connection = openConnection(path, { readOnly: false, busyMilliseconds: 1000 });
    const insert = connection.prepare("insert into events values (?, '2026-01-31T23:59:59.000Z', 'v1.test', 'package', 'p', 'a', ?, ?, ?)");
    const quarters = [3, 3, 3, 9, 0, 0, 5];
    for (const [index, size] of quarters.entries())
      insert.run(index + 1, encodeCbor('x'.repeat(size * 262_144)), new Uint8Array(32), new Uint8Array(32));
    const snapshot = { sql: sqliteQueries(connection) };
    const pages: number[][] = [];
    for (let since = 0; since < quarters.length; ) {
      const input = { since, limit: 500, subject_kind: null, subject_id: null, event_type: null };
      const page = await readShortEvents(snapshot, input);
      const { items } = decodeCbor(page.bytes) as { readonly items: readonly { readonly sequence: number }[] };
      const sequences = items.map(({ sequence }) => sequence);
      assert.deepEqual(
        (await readEvents(snapshot, input)).items.map(({ sequence }) => sequence),
        sequences,
      );
      assert.equal(page.next_since, sequences.at(-1));
      pages.push(sequences);
      since = page.next_since;
    }
    assert.deepEqual(pages, [[1, 2], [3], [4], [5, 6, 7]]);
    connection.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
