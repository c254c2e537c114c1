import type { StoredEvent } from '../../kernel/log/event.ts';
import { type ViewTable, viewKeys } from '../../kernel/views/view.ts';
import { type ColumnKind, eventColumns, insertedColumns, viewColumns } from '../columns.ts';
import type { RowChange } from '../row-changes.ts';
import type { LogSession } from '../transaction.ts';
import { type PostgresConnection, together } from './connection.ts';
import { postgresQueries } from './dialect.ts';

type Columns = Readonly<Record<string, ColumnKind>>;
type AnyRow = Readonly<Record<string, unknown>>;

const arrayTypes: Readonly<Record<ColumnKind, string>> = { text: 'text[]', integer: 'bigint[]', bytes: 'bytea[]' };
const statementRows = 2_000;
/** Above it a payload travels alone, in binary: within an array it would be hex in a string. */
const arrayPayloadBytes = 64 * 1024;

/** The last event that is read is the first one whose predecessors have the bytes. */
const selectEvents = `select ${Object.keys(eventColumns).join(', ')} from events where sequence > $1 and sequence <= (
  select max(sequence) from (
    select sequence, sum(octet_length(payload)) over (order by sequence) - octet_length(payload) as bytes_before
    from events where sequence > $1 order by sequence limit $2) as sized
  where bytes_before < $3) order by sequence`;

/**
 * Writes rows of one kind in one statement, as arrays, and sends all statements before it waits for the first. What is
 * folded goes into the views, or into the tables that `nameOf` says.
 */
export function postgresSession(connection: PostgresConnection, nameOf: (view: ViewTable) => string = (view) => view): LogSession {
  return {
    sql: postgresQueries(connection),
    async readEvents(after, { events, bytes }) {
      return (await connection.query(selectEvents, [after, events, bytes])).rows as readonly StoredEvent[];
    },
    async write(events, changes, inserts) {
      const statements = [...eventStatements(events)];
      for (const [view, rows] of changes.tables) statements.push(...viewStatements(view, nameOf(view), [...rows.values()]));
      for (const [table, rows] of inserts ?? []) statements.push(...insertStatements(table, insertedColumns[table], rows));
      await together(statements.map(({ text, values }) => connection.query(text, values)));
    },
  };
}

interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

function* eventStatements(events: readonly StoredEvent[]): Iterable<Statement> {
  const names = Object.keys(eventColumns);
  const small = events.filter((event) => event.payload.length <= arrayPayloadBytes);
  const large = events.filter((event) => event.payload.length > arrayPayloadBytes);
  for (const rows of slices(small)) yield { text: insertText('events', eventColumns), values: arrays(names, rows) };
  for (const event of large) {
    const parameters = names.map((_, index) => `$${index + 1}`).join(', ');
    yield {
      text: `insert into events (${names.join(', ')}) values (${parameters})`,
      values: names.map((name) => (event as unknown as AnyRow)[name]),
    };
  }
}

function* insertStatements(table: string, columns: Columns, rows: readonly object[]): Iterable<Statement> {
  for (const slice of slices(rows)) yield { text: insertText(table, columns), values: arrays(Object.keys(columns), slice) };
}

function* viewStatements(view: ViewTable, table: string, changes: readonly RowChange[]): Iterable<Statement> {
  const columns = viewColumns[view] as Columns;
  const names = Object.keys(columns);
  const key: readonly string[] = viewKeys[view];
  for (const alike of sameShape(changes)) {
    const [first] = alike;
    if (first.kind === 'patch') {
      const set = Object.keys(first.set);
      const by = Object.keys(first.by);
      const given = [...key, ...set.map((name) => `set_${name}`), ...by.map((name) => `by_${name}`)];
      const kinds = [...key, ...set, ...by].map((name) => columns[name]!);
      const text = `update ${table} set ${[
        ...set.map((name) => `${name} = given.set_${name}`),
        ...by.map((name) => `${name} = ${table}.${name} + given.by_${name}`),
      ].join(', ')} from (select * from unnest(${unnested(kinds)})) as given (${given.join(', ')}) where ${key
        .map((name) => `${table}.${name} = given.${name}`)
        .join(' and ')}`;
      for (const rows of slices(alike as readonly Extract<RowChange, { kind: 'patch' }>[]))
        yield {
          text,
          values: [
            ...arrays(
              key,
              rows.map((row) => row.key),
            ),
            ...arrays(
              set,
              rows.map((row) => row.set),
            ),
            ...arrays(
              by,
              rows.map((row) => row.by),
            ),
          ],
        };
      continue;
    }
    const conflict =
      first.kind === 'insert'
        ? ''
        : ` on conflict (${key.join(', ')}) do update set ${[...first.columns].map((name) => `${name} = excluded.${name}`).join(', ')}`;
    for (const rows of slices(alike as readonly Exclude<RowChange, { kind: 'patch' }>[]))
      yield {
        text: insertText(table, columns) + conflict,
        values: arrays(
          names,
          rows.map(({ row }) => row),
        ),
      };
  }
}

/** Groups what one statement can write: the same kind of change to the same columns. */
function sameShape(changes: readonly RowChange[]): Iterable<readonly [RowChange, ...RowChange[]]> {
  const groups = new Map<string, [RowChange, ...RowChange[]]>();
  for (const change of changes) {
    const shape = shapeOf(change);
    const group = groups.get(shape);
    if (group === undefined) groups.set(shape, [change]);
    else group.push(change);
  }
  return groups.values();
}

function shapeOf(change: RowChange): string {
  switch (change.kind) {
    case 'insert':
      return 'insert';
    case 'upsert':
      return `upsert ${[...change.columns].join(' ')}`;
    case 'patch':
      return `patch ${Object.keys(change.set).join(' ')} + ${Object.keys(change.by).join(' ')}`;
  }
}

function insertText(table: string, columns: Columns): string {
  return `insert into ${table} (${Object.keys(columns).join(', ')}) select * from unnest(${unnested(Object.values(columns))})`;
}

function unnested(kinds: readonly ColumnKind[]): string {
  return kinds.map((kind, index) => `$${index + 1}::${arrayTypes[kind]}`).join(', ');
}

function arrays(names: readonly string[], rows: readonly object[]): unknown[] {
  return names.map((name) => rows.map((row) => (row as AnyRow)[name]));
}

function* slices<T>(rows: readonly T[]): Iterable<readonly T[]> {
  for (let start = 0; start < rows.length; start += statementRows) yield rows.slice(start, start + statementRows);
}
