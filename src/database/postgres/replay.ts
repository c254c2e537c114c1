import type { LogHead } from '../../kernel/log/event.ts';
import { type ViewTable, viewKeys } from '../../kernel/views/view.ts';
import { viewColumns, viewTables } from '../columns.ts';
import { sumPackages } from '../migrations/0005-producer-usage.ts';
import { makeMissingIndexes, makeMissingTables, makeMissingTriggers } from '../rebuild.ts';
import { foldLog, type Replayed, replayLog } from '../replay.ts';
import type { PostgresConnection } from './connection.ts';
import { postgresSession } from './session.ts';

/** For sorting and hashing whole tables, and for what temporary ones keep in memory. */
const settings = ["set local work_mem = '64MB'", "set local temp_buffers = '64MB'"];

/**
 * Folds the log into temporary tables, and then changes of the views what is not the same there: inside the caller's
 * transaction, which keeps other replays out. Readers see the old views until it is committed and wait for nothing.
 * What was right is not written, so that a replay leaves no dead rows behind. Errors: those of `foldLog` and
 * `replayLog`.
 */
export async function replayViews(connection: PostgresConnection, onProgress?: (done: number, total: number) => void): Promise<Replayed> {
  const session = postgresSession(connection, foldedName);
  await makeMissingTables('postgresql', session.sql);
  // The table and not its row, which may be what was lost: whoever appends asks for the row, and waits.
  await connection.query('lock table log_head in exclusive mode');
  await makeMissingTriggers('postgresql', session.sql);
  for (const setting of settings) await connection.query(setting);
  for (const view of viewTables) await connection.query(foldedTable(view));
  const { rows } = await connection.query('select sequence, chain_digest from log_head where id = 1');
  const replayed = await replayLog(
    session,
    rows[0] as LogHead | undefined,
    foldLog(session.readEvents),
    (changes) => session.write([], changes),
    onProgress,
  );
  for (const view of viewTables) {
    // The triggers have followed what was changed, from sums that may have been wrong.
    if (view === 'producer_usage') await sumPackages(session.sql, foldedName(view));
    await takeOver(connection, view);
  }
  await makeMissingIndexes('postgresql', session.sql);
  return replayed;
}

function foldedName(view: ViewTable): string {
  return `folded_${view}`;
}

function foldedTable(view: ViewTable): string {
  return `create temporary table ${foldedName(view)} (like ${view}, primary key (${viewKeys[view].join(', ')})) on commit drop`;
}

/** Makes the rows of the view those of the folded table. */
async function takeOver(connection: PostgresConnection, view: ViewTable): Promise<void> {
  const folded = foldedName(view);
  const columns = Object.keys(viewColumns[view]);
  const key: readonly string[] = viewKeys[view];
  const list = columns.join(', ');
  const insert = `insert into ${view} (${list}) select ${list} from ${folded}`;
  const sameKey = key.map((column) => `old.${column} = new.${column}`).join(' and ');
  const same = `(${columns.map((column) => `old.${column}`).join(', ')}) is not distinct from (${columns.map((column) => `new.${column}`).join(', ')})`;
  await connection.query(`analyze ${folded}`);
  await connection.query(`delete from ${view} as old where not exists (select from ${folded} as new where ${sameKey} and ${same})`);
  await connection.query(`${insert} as new where not exists (select from ${view} as old where ${sameKey})`);
  const { rows } = await connection.query(`select (select count(*) from ${view}) <> (select count(*) from ${folded}) as differ`);
  if (!(rows[0] as { readonly differ: boolean }).differ) return;
  // A view that has lost its primary key may have a row twice.
  await connection.query(`delete from ${view}`);
  await connection.query(insert);
}
