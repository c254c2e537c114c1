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
  | { readonly kind: 'insert'; row: MutableRow }
  | { readonly kind: 'upsert'; row: MutableRow; readonly columns: Set<string> }
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
      return { kind: 'insert', row: change.row as MutableRow };
    case 'upsert':
      for (const [column, value] of Object.entries(change.set))
        if ((change.row as Row)[column] !== value)
          throw new TypeError(`an upsert of ${change.table} sets ${column} to another value than its row has`);
      return { kind: 'upsert', row: change.row as MutableRow, columns: new Set(Object.keys(change.set)) };
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
    for (const [column, value] of Object.entries(change.kind === 'increment' ? change.by : {})) {
      const set = before.set[column];
      if (typeof set === 'number') before.set[column] = set + Number(value);
      else before.by[column] = (before.by[column] ?? 0) + Number(value);
    }
    for (const [column, value] of Object.entries(change.set)) {
      before.set[column] = value;
      delete before.by[column];
    }
    return;
  }
  const row: MutableRow = { ...before.row, ...change.set };
  if (change.kind === 'increment') {
    if (before.kind === 'upsert') throw new TypeError(`an increment of ${change.table} follows an upsert of the same row`);
    for (const [column, value] of Object.entries(change.by)) row[column] = Number(row[column]) + Number(value);
  }
  if (before.kind === 'upsert') for (const column of Object.keys(change.set)) before.columns.add(column);
  before.row = row;
}
