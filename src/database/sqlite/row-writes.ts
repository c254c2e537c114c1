import { type ViewTable, viewKeys } from '../../kernel/views/view.ts';
import { insertedColumns, keptTables, viewColumns } from '../columns.ts';
import type { InsertedTable } from '../DATABASE.ts';
import type { RowChange, RowChanges } from '../row-changes.ts';
import type { InsertedRow } from '../transaction.ts';
import type { SqliteConnection, SqlValue } from './connection.ts';

/** Rows that are written in the same way: statements, and the values of one row after the other. */
export interface RowWrites {
  /** Writes one row. */
  readonly one: string;
  /** Writes `rowsAtOnce` rows, where one statement can. */
  readonly many: string | undefined;
  /** Values of a row. */
  readonly width: number;
  readonly values: SqlValue[];
}

/** What a statement costs by itself is no longer seen; its text stays short. */
const rowsAtOnce = 16;

const columnsOf = new Map(Object.entries({ ...viewColumns, ...insertedColumns }).map(([table, kinds]) => [table, Object.keys(kinds)]));
const insertOf = new Map(
  Array.from(columnsOf.keys(), (table) => [
    table,
    insertStatements(table, keptTables.has(table as InsertedTable) ? ' on conflict do nothing' : ''),
  ]),
);

/** By statement, in the order in which the rows were first touched. Plain values: they can go to another thread. */
export function rowWrites(changes: RowChanges): readonly RowWrites[] {
  const writes: RowWrites[] = [];
  for (const [table, rows] of changes.tables) {
    const byShape = new Map<string, RowWrites>();
    const columns = columnsOf.get(table)!;
    let last: RowChange | undefined;
    let alike: RowWrites | undefined;
    for (const change of rows.values()) {
      if (last === undefined || !isAlike(last, change)) {
        const shape = rows.size === 1 ? '' : shapeOf(change);
        alike = byShape.get(shape);
        if (alike === undefined) {
          alike = emptyWrites(table, change);
          byShape.set(shape, alike);
          writes.push(alike);
        }
        last = change;
      }
      if (change.kind === 'patch') {
        for (const part of [change.set, change.by]) for (const column in part) alike!.values.push(part[column]!);
        for (const column of viewKeys[table]) alike!.values.push(change.key[column]!);
      } else pushRow(alike!.values, columns, change.row);
    }
  }
  return writes;
}

export function rowInserts(table: InsertedTable, rows: readonly InsertedRow[]): RowWrites {
  const columns = columnsOf.get(table)!;
  const values: SqlValue[] = [];
  for (const row of rows) pushRow(values, columns, row);
  return { ...insertOf.get(table)!, width: columns.length, values };
}

/** Writes with prepared statements: in one process, nothing is faster. */
export function writeRows(connection: SqliteConnection, { one, many, width, values }: RowWrites): void {
  let at = 0;
  if (many !== undefined && values.length >= rowsAtOnce * width) {
    const statement = connection.prepare(many);
    for (; at + rowsAtOnce * width <= values.length; at += rowsAtOnce * width) statement.run(...values.slice(at, at + rowsAtOnce * width));
  }
  if (at === values.length) return;
  const statement = connection.prepare(one);
  if (values.length === width) statement.run(...values);
  else for (; at < values.length; at += width) statement.run(...values.slice(at, at + width));
}

/** Seen at once to have the same shape. */
function isAlike(left: RowChange, right: RowChange): boolean {
  if (left.kind !== right.kind) return false;
  return left.kind === 'insert' || (left.kind === 'upsert' && left.columns === (right as typeof left).columns);
}

function shapeOf(change: RowChange): string {
  switch (change.kind) {
    case 'insert':
      return 'insert';
    case 'upsert':
      return `upsert ${[...change.columns].join()}`;
    case 'patch':
      return `patch ${Object.keys(change.set).join()} + ${Object.keys(change.by).join()}`;
  }
}

function emptyWrites(table: ViewTable, change: RowChange): RowWrites {
  const key: readonly string[] = viewKeys[table];
  if (change.kind === 'patch') {
    const set = Object.keys(change.set);
    const by = Object.keys(change.by);
    const assignments = [...set.map((column) => `${column} = ?`), ...by.map((column) => `${column} = ${column} + ?`)];
    const one = `update or fail ${table} set ${assignments.join(', ')} where ${key.map((column) => `${column} = ?`).join(' and ')}`;
    return { one, many: undefined, width: set.length + by.length + key.length, values: [] };
  }
  const width = columnsOf.get(table)!.length;
  if (change.kind === 'insert') return { ...insertOf.get(table)!, width, values: [] };
  const updates = Array.from(change.columns, (column) => `${column} = excluded.${column}`);
  const { one } = insertStatements(table, ` on conflict (${key.join(', ')}) do update set ${updates.join(', ')}`);
  // One by one: of many rows that may update one, SQLite can undo the statement alone, `or fail` or not. For that it
  // copies each page before its first change, which was seven times what a replay wrote else.
  return { one, many: undefined, width, values: [] };
}

function pushRow(values: SqlValue[], columns: readonly string[], row: Readonly<Record<string, SqlValue>>): void {
  for (let index = 0; index < columns.length; index++) values.push(row[columns[index]!]!);
}

/**
 * `or fail`: what a statement that fails has done can stay, since the transaction or savepoint around it is given up.
 * So SQLite keeps nothing to undo a statement alone, not even where triggers or many rows could make one stop halfway.
 */
function insertStatements(table: string, conflict: string): { readonly one: string; readonly many: string } {
  const columns = columnsOf.get(table)!;
  const row = `(${columns.map(() => '?').join(', ')})`;
  const text = (rows: number) =>
    `insert or fail into ${table} (${columns.join(', ')}) values ${new Array(rows).fill(row).join(', ')}${conflict}`;
  return { one: text(1), many: text(rowsAtOnce) };
}
