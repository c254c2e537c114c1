import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { BackupRecord, IdempotencyKey } from '../../src/backup/BACKUP.ts';
import { openBackupDirectory } from '../../src/backup/directory.ts';
import { readObjectFiles } from '../../src/backup/object-files.ts';
import { openDataPlane } from '../../src/dataplane/streaming.ts';
import { formatAddress } from '../../src/kernel/content/address.ts';
import { chainStart, type LogHead, linkEvent, type StoredEvent } from '../../src/kernel/log/event.ts';
import { encodeEventPage } from '../../src/kernel/log/event-page.ts';
import type { Timestamp } from '../../src/kernel/time.ts';

const record: BackupRecord = {
  format: 1,
  state: 'complete',
  registry: { id: 'r', format_version: 1, created_at: '2026-01-01T00:00:00.000Z' },
  sequence: 4,
  chain_digest: 'blake3:',
  objects: 0,
  bytes: 0,
  missing: [],
  started_at: '2026-01-01T00:00:00.000Z',
  finished_at: null,
};

function eventsOf(count: number): readonly StoredEvent[] {
  let head: LogHead = { sequence: 0, chain_digest: chainStart };
  return Array.from({ length: count }, (_, index) => {
    const event = linkEvent(head, '2026-01-01T00:00:00.000Z' as Timestamp, {
      event_type: 'v1.metadata_schema.registered',
      subject_kind: 'metadata_schema',
      subject_id: `s${index}`,
      actor: 'a',
      payload: { slug: `s${index}`, json_schema: { ratio: 0.25, title: 'é' } },
    });
    head = event;
    return event;
  });
}

describe("a backup's directory", () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'artifactstore-backup-'));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  const open = (path: string, write: boolean) =>
    openBackupDirectory(join(root, path), {
      write,
      openObjects: async (id, objects) => openDataPlane({ backends: new Map([[id, readObjectFiles(id, objects)]]), hashThreads: 0 }),
    });

  it('gives back what it was given, and makes nothing where it only reads', async () => {
    const place = await open('a/b', true);
    const events = eventsOf(7);
    const append = (first: number, last: number) => place.log.append(encodeEventPage(events.slice(first - 1, last), last), first, last);
    assert.deepEqual([await place.record(), await place.log.end()], [undefined, 0]);
    // Two runs at once may have copied some twice; what lies behind a gap is not reached.
    await append(1, 3);
    await append(2, 4);
    await append(6, 7);
    assert.equal(await place.log.end(), 4);
    assert.deepEqual((await Array.fromAsync(place.log.read(1, 4))).flat(), events.slice(1, 4));
    await assert.rejects(Array.fromAsync(place.log.read(0, 6)), /has no event 5/);
    const rows: IdempotencyKey[] = [
      { producer: 'p', idempotency_key: 'line\nend', request_digest: 'd', package_id: 'i', created_at: 't' },
      { producer: 'a\u2028b', idempotency_key: 'k', request_digest: 'd', package_id: 'i', created_at: 't' },
    ];
    await place.saveIdempotencyKeys(inOnePage(rows));
    await place.save(record);
    const [first] = readdirSync(join(root, 'a/b/log'));
    writeFileSync(join(root, 'a/b/log', `${first}.${randomUUID()}.draft`), 'torn');

    const before = readdirSync(join(root, 'a/b'), { recursive: true }).sort();
    const read = await open('a/b', false);
    assert.deepEqual(await read.record(), record);
    assert.deepEqual((await Array.fromAsync(read.idempotencyKeys())).flat(), rows);
    assert.equal(await read.sizeOf(formatAddress('blake3', 'aa'.repeat(32))), undefined);
    assert.deepEqual(readdirSync(join(root, 'a/b'), { recursive: true }).sort(), before);
    await (await open('a/b', true)).removeDrafts();
    assert.ok(!readdirSync(join(root, 'a/b/log')).some((name) => name.endsWith('.draft')));
    unlinkSync(join(root, 'a/b/idempotency-keys.jsonl'));
    await assert.rejects(Array.fromAsync(read.idempotencyKeys()), /idempotency-keys\.jsonl is missing/);
    writeFileSync(join(root, 'a/b/idempotency-keys.jsonl'), '');
    assert.deepEqual((await Array.fromAsync(read.idempotencyKeys())).flat(), []);
  });

  it('names the file that is damaged', async () => {
    const place = await open('damaged', true);
    await place.log.append(encodeEventPage(eventsOf(2), 2).subarray(0, 40), 1, 2);
    await assert.rejects(Array.fromAsync(place.log.read(0, 2)), /0000000000000001-0000000000000002\.cbor is damaged/);
    await place.log.append(encodeEventPage(eventsOf(1), 2), 1, 2);
    await assert.rejects(Array.fromAsync(place.log.read(0, 2)), /does not have the events that its name says/);
    writeFileSync(join(root, 'damaged/backup.json'), '{"format": 2}');
    await assert.rejects(open('damaged', false), { code: 'integrity_failure' });
    writeFileSync(join(root, 'damaged/backup.json'), 'half');
    await assert.rejects(open('damaged', true), /backup\.json is damaged/);
  });

  it('takes no directory that holds something else, and reads none that holds no backup', async () => {
    mkdirSync(join(root, 'other'));
    writeFileSync(join(root, 'other/thesis.doc'), '');
    await assert.rejects(open('other', true), { code: 'target_in_use' });
    for (const path of ['writing/novel.draft', 'logs/log/access.cbor', 'parent-of-a-store/objects/registry.json']) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), 'of somebody else');
      await assert.rejects(open(path.split('/')[0]!, true), { code: 'target_in_use' });
      assert.ok(existsSync(join(root, path)));
    }
    // A backup whose objects became a store: what the store deletes would be gone from the backup.
    await open('adopted', true).then((place) => place.save(record));
    writeFileSync(join(root, 'adopted/objects/registry.json'), '{}');
    await assert.rejects(open('adopted', true), { code: 'target_in_use', message: /objects is the storage of a registry/ });
    await assert.rejects(open('nothing', false), /There is no backup in/);
    assert.ok(!readdirSync(root).includes('nothing'));
    // A file where the directory should be.
    await assert.rejects(open('other/thesis.doc', true), { code: 'storage_unavailable' });
  });
});

async function* inOnePage<T>(rows: readonly T[]): AsyncIterable<readonly T[]> {
  yield rows;
}
