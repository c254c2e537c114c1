import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { blake3 } from '../../src/kernel/content/digest.ts';
import { chainDigest, chainStart, type StoredEvent } from '../../src/kernel/log/event.ts';

/** Something that happened to a registry's directory behind its back, and what a checker says of it. */
export interface Damage {
  readonly what: string;
  readonly fault: RegExp;
  damage(directory: string): Promise<void> | void;
}

export const damages: readonly Damage[] = [
  {
    what: 'a flipped bit in a payload',
    fault: /event 5: the payload does not match its digest/,
    damage: edit((database) => {
      const { payload } = database.prepare('select payload from events where sequence = 5').get() as { payload: Uint8Array };
      payload[payload.length - 1]! ^= 1;
      database.prepare('update events set payload = ? where sequence = 5').run(payload);
    }),
  },
  {
    what: 'a removed event',
    fault: /event 6 stands where event 5 should/,
    damage: edit((database) => database.exec('delete from events where sequence = 5')),
  },
  {
    what: 'a removed event whose place was closed',
    fault: /event 5 does not continue the chain/,
    damage: edit((database) => {
      database.exec('delete from events where sequence = 5');
      database.exec(
        'update events set sequence = -sequence where sequence > 5; update events set sequence = -sequence - 1 where sequence < 0',
      );
    }),
  },
  {
    what: 'a log that was cut off',
    fault: /the head of the log is not its last event/,
    damage: edit((database) => database.exec('delete from events where sequence = (select max(sequence) from events)')),
  },
  {
    what: 'a swapped pair',
    fault: /event 4 does not continue the chain/,
    damage: edit((database) =>
      database.exec(
        'update events set sequence = -4 where sequence = 4; update events set sequence = 4 where sequence = 5; update events set sequence = 5 where sequence = -4',
      ),
    ),
  },
  {
    what: 'a changed actor',
    fault: /event 2 does not continue the chain/,
    damage: edit((database) => database.exec("update events set actor = 'somebody' where sequence = 2")),
  },
  {
    what: 'a changed manifest',
    // The chain is in order again, as whoever can write to the tables could make it: the files are what gives it away.
    fault: /^the manifest of event \d+ lists other files than the log\n/,
    damage: edit((database) => {
      const row = database.prepare("select sequence, payload from events where event_type = 'v1.package.finalized'").get() as {
        sequence: number;
        payload: Uint8Array;
      };
      const text = Buffer.from(row.payload);
      const at = text.indexOf('two blocks');
      assert.ok(at > 0);
      text.write('two clocks', at);
      database.prepare('update events set payload = ? where sequence = ?').run(text, row.sequence);
      chainAnew(database);
    }),
  },
  {
    what: 'a view that says something else',
    fault: /artifact_files .* is not what the log says/,
    damage: edit((database) => database.exec("update artifact_files set media_type = 'text/x-other' where relative_path = 'kept'")),
  },
  {
    what: 'a row that no event made',
    fault: /storage_objects local blake3:00 is not what the log says/,
    damage: edit((database) =>
      database.exec("insert into storage_objects values ('local', 'blake3:00', 'none', null, 1, null, null, null)"),
    ),
  },
  {
    what: 'a sum that is wrong',
    fault: /producer_usage p is not what the log says/,
    damage: edit((database) => database.exec('update producer_usage set bytes = bytes - 1')),
  },
  {
    what: 'a flipped byte in an object',
    fault: /the bytes have another blake3 digest\n.*the bytes have another SHA-256 digest/,
    damage: (directory) =>
      changeObject(directory, 2000, (bytes) => {
        bytes[1000]! ^= 0x80;
        return bytes;
      }),
  },
  {
    what: 'an object that was cut off',
    fault: /is 1999 bytes long, not 2000/,
    damage: (directory) => changeObject(directory, 2000, (bytes) => bytes.subarray(1)),
  },
  {
    what: 'an object that is gone',
    fault: /cannot be read/,
    damage: async (directory) => rm(await objectPath(directory, 2000)),
  },
  {
    what: 'wrong block digests',
    fault: /has wrong block digests/,
    damage: edit((database) => database.exec('update block_digests set digests = zeroblob(64)')),
  },
];

function edit(change: (database: DatabaseSync) => unknown): (directory: string) => void {
  return (directory) => {
    const database = new DatabaseSync(join(directory, 'artifactstore.db'));
    try {
      database.exec('drop trigger events_not_updated; drop trigger events_not_deleted');
      change(database);
    } finally {
      database.close();
    }
  };
}

async function objectPath(directory: string, size: number): Promise<string> {
  const database = new DatabaseSync(join(directory, 'artifactstore.db'), { readOnly: true });
  try {
    const row = database.prepare('select object_key from storage_objects where size_bytes = ?').get(size) as { object_key: string };
    return join(directory, 'storage', row.object_key);
  } finally {
    database.close();
  }
}

async function changeObject(directory: string, size: number, change: (bytes: Buffer) => Uint8Array): Promise<void> {
  const path = await objectPath(directory, size);
  const bytes = await readFile(path);
  await rm(path);
  await writeFile(path, change(bytes));
}

function chainAnew(database: DatabaseSync): void {
  let previous = chainStart;
  const rows = database.prepare('select * from events order by sequence').all() as unknown as readonly StoredEvent[];
  for (const row of rows) {
    const payload_digest = blake3(row.payload);
    previous = chainDigest(previous, row, payload_digest);
    database
      .prepare('update events set payload_digest = ?, chain_digest = ? where sequence = ?')
      .run(payload_digest, previous, row.sequence);
  }
  database.prepare('update log_head set chain_digest = ?').run(previous);
}
