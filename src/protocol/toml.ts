import { parse, TomlError } from 'smol-toml';
import { type Place, placesIn } from './toml-places.ts';

export type TomlTable = Readonly<Record<string, unknown>>;

/** From the root: names of keys, and numbers of list items from 0. */
export type TomlPath = readonly (string | number)[];

export type TomlDocument =
  | { readonly table: TomlTable; placeOf(path: TomlPath, part?: 'key' | 'value'): Place }
  | { readonly problem: string; readonly place: Place };

/**
 * A TOML document (toml.io, version 1.0), and where in it an entry is: that of its key or its value where it has one,
 * else of the nearest entry that holds it. Integers beyond 2^53 - 1 are given as bigint.
 */
export function parseToml(text: string): TomlDocument {
  try {
    const table = parse(text, { integersAsBigInt: 'asNeeded', maxDepth: deepest });
    return { table, placeOf: placesIn(text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const { line, column, message } = error;
    return { problem: message.split('\n')[0] ?? message, place: { line, column } };
  }
}

const deepest = 32;

export function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
