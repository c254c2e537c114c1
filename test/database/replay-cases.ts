import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { sumPackages } from '../../src/database/conformance/cases.ts';
import type { Database } from '../../src/database/DATABASE.ts';
import type { DatabaseTarget } from '../../src/database/target.ts';
import type { StoredEvent } from '../../src/kernel/log/event.ts';
import { fold } from '../../src/kernel/views/fold.ts';
import { type ViewTable, type ViewTables, viewKeys } from '../../src/kernel/views/view.ts';
import type { FaultOperations } from './fault-operations.ts';

/** A database whose tables can be changed behind its back. */
export interface Damageable {
  readonly database: Database<FaultOperations>;
  readonly target: DatabaseTarget;
  run(statement: string): Promise<void>;
}

type Views = Readonly<Record<string, readonly object[]>>;

const damages = [
  "update artifact_packages set status = 'created', file_count = 7, created_by = 'nobody'",
  "update artifact_packages set producer = 'nobody' where created_sequence < 1000",
  'update storage_locations set verified_at = null, state = object_key',
  'update storage_objects set next_generation = next_generation + 1, size_bytes = null',
  "update artifact_files set relative_path = case relative_path when 'c' then 'a/ü.bin' when 'a/ü.bin' then 'c' else 'd' end || id",
  'update producer_usage set files = files + 7, bytes = 0',
  "insert into retention_holds (id, package_id, reason, owner, applied_at) values ('x', 'y', 'z', 'o', 'then')",
  "insert into package_metadata (term, created_sequence, package_id) values ('x', 7, 'y')",
  'delete from artifact_files where created_sequence < 2000',
  'delete from artifact_packages where created_sequence > 2000',
  'delete from producer_usage',
  'delete from retention_state',
  'delete from metadata_schemas',
];

/** Whatever was in the views, a replay makes them what the events say, one after the other. */
export async function replaysWhateverWasThere({ database, run }: Damageable): Promise<void> {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 50 }),
      fc.subarray(damages, { minLength: 1 }),
      async (picks, chosen) => {
        round += 1;
        await database.write('liveTogether', { labels: labels(100, `round ${round}`), picks });
        for (const damage of chosen) await run(damage);
        await database.replay();
        assert.deepEqual(await dump(database), modelOf(await readLog(database)));
      },
    ),
    { numRuns: Number(process.env.ARTIFACTSTORE_TEST_ROUNDS ?? 3), endOnFailure: true },
  );
}

/** Killed anywhere, a replay leaves the views that were there, or the new ones. */
export async function killReplays({ database, target, run }: Damageable): Promise<void> {
  await database.write('liveTogether', { labels: labels(200, 'killed'), picks: [3, 1, 4, 1, 5] });
  const good = await dump(database);
  for (const damage of damages.slice(0, 8)) await run(damage);
  const damaged = await dump(database);
  let kept = 0;
  for (const lines of [1, 3]) {
    await killReplay(target, lines);
    const after = await dump(database);
    const isOld = isEqual(after, damaged);
    assert.ok(isOld || isEqual(after, good), 'neither the old views nor the new ones');
    kept += Number(isOld);
  }
  assert.ok(kept > 0, 'one was killed before it was through');
  await database.replay();
  assert.deepEqual(await dump(database), good);
}

export const dump = (database: Database<FaultOperations>): Promise<Views> => database.read('dumpViews', null);

function labels(count: number, name: string): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${index}`);
}

async function readLog(database: Database<FaultOperations>): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const page = await database.read('readEvents', { after: events.length, limit: 5_000 });
    if (page.length === 0) return events;
    events.push(...page);
  }
}

/** Applies one change after the other to rows in memory. */
function modelOf(events: readonly StoredEvent[]): Views {
  const tables = new Map<ViewTable, Map<string, Record<string, unknown>>>(
    (Object.keys(viewKeys) as ViewTable[]).map((table) => [table, new Map()]),
  );
  for (const change of events.flatMap(fold)) {
    const rows = tables.get(change.table)!;
    const at = (change.kind === 'insert' || change.kind === 'upsert' ? change.row : change.key) as Readonly<Record<string, unknown>>;
    const key = JSON.stringify(viewKeys[change.table].map((column) => at[column]));
    const there = rows.get(key);
    if (change.kind === 'insert' || (change.kind === 'upsert' && there === undefined)) rows.set(key, { ...at });
    else if (there !== undefined) {
      if (change.kind === 'increment')
        for (const [column, by] of Object.entries(change.by)) there[column] = Number(there[column]) + Number(by);
      Object.assign(there, change.set);
    }
  }
  const sorted = (table: ViewTable) => {
    const keyed = [...tables.get(table)!.values()].map((row) => {
      const key = viewKeys[table].map((column) => (typeof row[column] === 'number' ? String(row[column]).padStart(16, '0') : row[column]));
      return { row, key: Buffer.from(key.join('\0')) };
    });
    return keyed.sort((left, right) => Buffer.compare(left.key, right.key)).map(({ row }) => row);
  };
  const views = Object.fromEntries([...tables.keys()].map((table) => [table, sorted(table)]));
  return { ...views, producer_usage: sumPackages(views.artifact_packages as unknown as readonly ViewTables['artifact_packages'][]) };
}

const script = fileURLToPath(new URL('./replay-process.ts', import.meta.url));

/** Kills a replaying process when it has printed so many lines, or has ended. */
async function killReplay(target: DatabaseTarget, lines: number): Promise<void> {
  const child = spawn(process.execPath, [script, JSON.stringify(target)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('close', resolve));
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
    if (printed.split('\n').length > lines) child.kill('SIGKILL');
  });
  await exited;
}

/** In a fraction of the time that an assertion takes to say what differs. */
function isEqual(left: Views, right: Views): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
