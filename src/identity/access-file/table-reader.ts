import { nearestNames } from '../../protocol/nearest-names.ts';
import type { TomlPath, TomlTable } from '../../protocol/toml.ts';
import type { Findings } from './findings.ts';
import { shown } from './findings.ts';

/** Reads the entries of one table; what is wrong with one is noted, and the entry is then undefined. */
export interface TableReader {
  readonly path: TomlPath;
  has(key: string): boolean;
  value(key: string): unknown;
  /** Of 1 to `longest` characters, none of them a control character. */
  text(key: string, longest: number): string | undefined;
  boolean(key: string): boolean | undefined;
  /** A whole number in these bounds. */
  integer(key: string, bounds: { readonly from: number; readonly to: number; readonly unit?: string }): number | undefined;
  oneOf<Name extends string>(key: string, names: readonly Name[]): Name | undefined;
  /** A list of at least one item. */
  list(key: string, mostItems: number): readonly unknown[] | undefined;
  /** Runs what throws an Error about the value of the key. */
  parsed<T>(key: string, parse: () => T): T | undefined;
  error(key: string, message: string, part?: 'key' | 'value'): void;
}

export function readTable(findings: Findings, path: TomlPath, table: TomlTable): TableReader {
  const error: TableReader['error'] = (key, message, part = 'value') => findings.error([...path, key], message, part);
  const read = <T>(key: string, accept: (value: unknown) => T | undefined, wanted: string): T | undefined => {
    if (!Object.hasOwn(table, key)) return undefined;
    const accepted = accept(table[key]);
    if (accepted === undefined) error(key, `${key} must be ${wanted}, not ${shown(table[key])}`);
    return accepted;
  };
  return {
    path,
    error,
    has: (key) => Object.hasOwn(table, key),
    value: (key) => (Object.hasOwn(table, key) ? table[key] : undefined),
    text: (key, longest) =>
      read(
        key,
        (value) => (typeof value === 'string' && isText(value, longest) ? value : undefined),
        `text of 1 to ${longest} characters, without control characters`,
      ),
    boolean: (key) => read(key, (value) => (typeof value === 'boolean' ? value : undefined), 'true or false'),
    integer: (key, { from, to, unit }) =>
      read(
        key,
        (value) => (typeof value === 'number' && Number.isSafeInteger(value) && value >= from && value <= to ? value : undefined),
        `a whole number${unit === undefined ? '' : ` of ${unit}`} from ${from} to ${to}`,
      ),
    oneOf: (key, names) => {
      const value = table[key];
      const found = names.find((name) => name === value);
      if (found === undefined && Object.hasOwn(table, key))
        error(key, `${key} must be one of ${names.join(', ')}, not ${shown(value)}${meant(value, names)}`);
      return found;
    },
    list: (key, mostItems) =>
      read(
        key,
        (value) => (Array.isArray(value) && value.length > 0 && value.length <= mostItems ? (value as readonly unknown[]) : undefined),
        `a list of 1 to ${mostItems} items`,
      ),
    parsed: (key, parse) => {
      try {
        return parse();
      } catch (fault) {
        error(key, (fault as Error).message);
        return undefined;
      }
    },
  };
}

/** 1 to `longest` characters that can be shown on one line, none of them half of one. */
export function isText(value: string, longest: number): boolean {
  return value !== '' && value.length <= longest && value.isWellFormed() && !/\p{Cc}/u.test(value);
}

/** Notes each key that is not known, with what was most likely meant. */
export function refuseUnknownKeys(findings: Findings, path: TomlPath, table: TomlTable, known: readonly string[], where: string): void {
  for (const key of Object.keys(table).filter((name) => !known.includes(name)))
    findings.error([...path, key], `${shown(key)} is not known in ${where}${meant(key, known)} (known are ${known.join(', ')})`);
}

/** `; did you mean …?`, or nothing where no name is near. */
export function meant(value: unknown, names: readonly string[]): string {
  const near = typeof value === 'string' ? nearestNames(value, names) : [];
  return near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`;
}
