import { type Change, type ViewTable, viewKeys } from '../kernel/views/view.ts';

export type Row = Readonly<Record<string, string | number | null>>;
type MutableRow = Record<string, string | number | null>;

/** What is to be written to one row: at most one statement, however many events touched it. */
export type RowChange =
  | { readonly kind: 'insert'; readonly row: Row }
  /** Where the key is there already, `columns` take the values that they have in `row`. */
  | { readonly kind: 'upsert'; readonly row: Row; readonly columns: ReadonlySet<string> }
  | { readonly kind: 'patch'; readonly key: Row; readonly set: Row; readonly by: Readonly<Record<string, number>> };

/** Changes gathered by table and key, in the order in which the rows were first touched. */
export interface RowChanges {
  readonly tables: ReadonlyMap<ViewTable, ReadonlyMap<string, RowChange>>;
  add(change: Change): void;
}

type Pending =
  | { readonly kind: 'insert'; row: MutableRow; isOwn: boolean }
  | { readonly kind: 'upsert'; row: MutableRow; isOwn: boolean; columns: ReadonlySet<string> }
  | { readonly kind: 'patch'; readonly key: Row; readonly set: MutableRow; readonly by: Record<string, number> };

/**
 * Merges the changes of many events into one for each row. The result is that of applying them one by one: rows are
 * never deleted from a view, so only what happened to the same row has an order.
 */
export function createRowChanges(): RowChanges {
  const tables = new Map<ViewTable, Map<string, Pending>>();
  return {
    tables,
    add(change) {
      let rows = tables.get(change.table);
      if (rows === undefined) {
        rows = new Map();
        tables.set(change.table, rows);
      }
      const key = keyOf(change.table, (change.kind === 'insert' || change.kind === 'upsert' ? change.row : change.key) as Row);
      const before = rows.get(key);
      if (before === undefined) rows.set(key, pending(change));
      else merge(before, change);
    },
  };
}

function keyOf(table: ViewTable, row: Row): string {
  const columns: readonly string[] = viewKeys[table];
  return columns.length === 1 ? String(row[columns[0]!]) : columns.map((column) => row[column]).join('\u0000');
}

function pending(change: Change): Pending {
  switch (change.kind) {
    case 'insert':
      return { kind: 'insert', row: change.row as MutableRow, isOwn: false };
    case 'upsert':
      for (const column in change.set)
        if ((change.row as Row)[column] !== (change.set as Row)[column])
          throw new TypeError(`an upsert of ${change.table} sets ${column} to another value than its row has`);
      return { kind: 'upsert', row: change.row as MutableRow, isOwn: false, columns: columnsOf(change.set) };
    case 'update':
      return { kind: 'patch', key: change.key as Row, set: { ...change.set } as MutableRow, by: {} };
    case 'increment':
      return {
        kind: 'patch',
        key: change.key as Row,
        set: { ...change.set } as MutableRow,
        by: { ...change.by } as Record<string, number>,
      };
  }
}

function merge(before: Pending, change: Change): void {
  if (change.kind === 'insert') throw new TypeError(`two inserts into ${change.table} have the same key`);
  if (before.kind === 'patch') {
    // What was updated is there, so an upsert after it can only set.
    if (change.kind === 'increment') {
      const by = change.by as Readonly<Record<string, number>>;
      for (const column in by) {
        const set = before.set[column];
        if (typeof set === 'number') before.set[column] = set + Number(by[column]);
        else before.by[column] = (before.by[column] ?? 0) + Number(by[column]);
      }
    }
    const set = change.set as Row;
    for (const column in set) {
      before.set[column] = set[column]!;
      if (column in before.by) delete before.by[column];
    }
    return;
  }
  if (change.kind === 'increment' && before.kind === 'upsert')
    throw new TypeError(`an increment of ${change.table} follows an upsert of the same row`);
  // Copied once, however many events follow: a package has as many as files.
  if (!before.isOwn) before.row = { ...before.row };
  before.isOwn = true;
  const { row } = before;
  const set = change.set as Row;
  for (const column in set) row[column] = set[column]!;
  if (change.kind === 'increment') {
    const by = change.by as Readonly<Record<string, number>>;
    for (const column in by) row[column] = Number(row[column]) + by[column]!;
  }
  if (before.kind === 'upsert') before.columns = new Set([...before.columns, ...Object.keys(change.set)]);
}

/** The same set again for what the one before it had: nearly all of a log set the same columns. */
function columnsOf(set: object): ReadonlySet<string> {
  let same = 0;
  for (const column in set) {
    if (!lastColumns.has(column)) same = Number.NaN;
    same += 1;
  }
  if (same !== lastColumns.size) lastColumns = new Set(Object.keys(set));
  return lastColumns;
}

let lastColumns: ReadonlySet<string> = new Set();
