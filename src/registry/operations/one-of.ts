import { type RawBuilder, sql } from '#kysely';

/**
 * A table with one row for each of the values, as text in `key`. They are one parameter, so that the statement is the
 * same for any number of them and stays prepared: SQLite and PostgreSQL both have `json_each` of an object.
 */
export function oneOf(values: readonly (string | number)[]): RawBuilder<{ key: string }> {
  return sql`json_each(${JSON.stringify(Object.fromEntries(values.map((value) => [value, 0])))})`;
}
