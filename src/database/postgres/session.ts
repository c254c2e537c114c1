import type { StoredEvent } from '../../kernel/log/event.ts';
import { type ViewTable, viewKeys } from '../../kernel/views/view.ts';
import { type ColumnKind, eventColumns, insertedColumns, keptTables, viewColumns } from '../columns.ts';
import type { RowChange } from '../row-changes.ts';
import type { LogSession } from '../transaction.ts';
import { type PostgresConnection, together } from './connection.ts';
import { postgresQueries } from './dialect.ts';

type Columns = Readonly<Record<string, ColumnKind>>;
type AnyRow = Readonly<Record<string, unknown>>;

const statementRows = 2_000;
const statementBytes = 16 * 1024 * 1024;

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
      const statements = [...insertStatements('events', eventColumns, events)];
      for (const [view, rows] of changes.tables) statements.push(...viewStatements(view, nameOf(view), [...rows.values()]));
      for (const [table, rows] of inserts ?? [])
        statements.push(...insertStatements(table, insertedColumns[table], rows, keptTables.has(table) ? ' on conflict do nothing' : ''));
      await together(statements.map(({ text, values, name }) => connection.query(text, values, name)));
    },
  };
}

/**
 * Under a name the server keeps a statement with its plan, and does not make it again while the log is locked. A table
 * has few that insert, whatever the number of rows. Those that update are planned each time, since the best plan for a
 * table that has just been made is the worst for what it grows to. Undefined beyond a bound.
 */
function nameOfStatement(text: string): string | undefined {
  let name = names.get(text);
  if (name === undefined && names.size < namedStatements) {
    name = `write_${names.size}`;
    names.set(text, name);
  }
  return name;
}

const namedStatements = 200;
const names = new Map<string, string>();

interface Statement {
  readonly text: string;
  readonly values: unknown[];
  /** See `nameOfStatement`. */
  readonly name?: string | undefined;
}

function* insertStatements(table: string, columns: Columns, rows: readonly object[], conflict = ''): Iterable<Statement> {
  for (const slice of slices(rows)) {
    const { select, values } = given(columns, slice as readonly AnyRow[]);
    const text = `insert into ${table} (${Object.keys(columns).join(', ')}) ${select}${conflict}`;
    yield { text, values, name: nameOfStatement(text) };
  }
}

function* viewStatements(view: ViewTable, table: string, changes: readonly RowChange[]): Iterable<Statement> {
  const columns = viewColumns[view] as Columns;
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
    const rows = (alike as readonly Exclude<RowChange, { kind: 'patch' }>[]).map(({ row }) => row);
    yield* insertStatements(table, columns, rows, conflict);
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

/**
 * Rows as one array for each column. Bytes travel in binary, those of all rows one after the other: within an array
 * they would be hex in a string.
 */
function given(columns: Columns, rows: readonly AnyRow[]): { readonly select: string; readonly values: unknown[] } {
  const expressions: string[] = [];
  const sources: string[] = [];
  const aliases: string[] = [];
  const values: unknown[] = [];
  const add = (name: string, type: string, array: unknown[]): string => {
    values.push(array);
    sources.push(`$${values.length}::${type}`);
    aliases.push(name);
    return `given.${name}`;
  };
  for (const [name, kind] of Object.entries(columns)) {
    const column = rows.map((row) => row[name]);
    if (kind !== 'bytes') {
      expressions.push(add(name, kind === 'integer' ? 'bigint[]' : 'text[]', column));
      continue;
    }
    const parts = column as Uint8Array[];
    let end = 0;
    const starts = parts.map(({ length }) => {
      const start = end + 1;
      end += length;
      return start;
    });
    values.push(Buffer.concat(parts));
    const whole = `$${values.length}::bytea`;
    const from = add(`${name}_from`, 'int[]', starts);
    const length = add(
      `${name}_length`,
      'int[]',
      parts.map((part) => part.length),
    );
    expressions.push(`substring(${whole} from ${from} for ${length})`);
  }
  return { select: `select ${expressions.join(', ')} from unnest(${sources.join(', ')}) as given (${aliases.join(', ')})`, values };
}

/** Of the columns of a view: none has bytes. */
function unnested(kinds: readonly ColumnKind[]): string {
  return kinds.map((kind, index) => `$${index + 1}::${kind === 'integer' ? 'bigint[]' : 'text[]'}`).join(', ');
}

function arrays(names: readonly string[], rows: readonly object[]): unknown[] {
  return names.map((name) => rows.map((row) => (row as AnyRow)[name]));
}

/** Each short enough for a statement, by rows and by the bytes in them. */
function* slices<T extends object>(rows: readonly T[]): Iterable<readonly T[]> {
  let start = 0;
  let bytes = 0;
  for (let index = 0; index < rows.length; index++) {
    const size = bytesIn(rows[index]!);
    if (index > start && (index - start >= statementRows || bytes + size > statementBytes)) {
      yield rows.slice(start, index);
      start = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (start < rows.length) yield rows.slice(start);
}

function bytesIn(row: object): number {
  let bytes = 0;
  for (const value of Object.values(row)) if (value instanceof Uint8Array || typeof value === 'string') bytes += value.length;
  return bytes;
}
