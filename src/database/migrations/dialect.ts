import type { Dialect } from '../target.ts';

/** What each dialect says in the statements that make tables. */
export interface DialectWords {
  /** Compared and ordered bytewise, on UTF-8. */
  readonly text: string;
  /** Of 64 bits. */
  readonly integer: string;
  readonly bytes: string;
  /** Behind the columns of a table. */
  readonly table: string;
  /** The same of a table with short rows, where these can be clustered by their key. */
  readonly clustered: string;
}

/** A new dialect is a row here, and one in each list of triggers by dialect. Released rows never change. */
export const dialectWords: Readonly<Record<Dialect, DialectWords>> = {
  sqlite: { text: 'text', integer: 'integer', bytes: 'blob', table: 'strict', clustered: 'strict, without rowid' },
  postgresql: { text: 'text collate "C"', integer: 'bigint', bytes: 'bytea', table: '', clustered: '' },
};
