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
    const problem = message.split('\n')[0] ?? message;
    const advice = advices.find(([said]) => problem.endsWith(said))?.[1];
    return { problem: advice === undefined ? problem : `${problem}; ${advice}`, place: { line, column } };
  }
}

/** What it most often is that the parser says so. */
const advices: readonly (readonly [said: string, advice: string])[] = [
  ['control characters are not allowed in strings', 'is the closing quote of the line missing?'],
  ['illegal character in numeric literal', 'a number has digits only, without a unit: 10 GiB are 10737418240; text has quotes'],
  ['trying to redefine an already defined table or value', 'is it there twice? each table of a list has two brackets: [[name]]'],
  ['expected comma or end of structure', 'is a comma, a quote or a closing bracket missing?'],
];

const deepest = 32;

export function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
