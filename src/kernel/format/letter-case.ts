/**
 * Records, rows and the inputs of operations have `snake_case` names, as the wire has; everything else in this code has
 * `camelCase`. These two go from the one to the other, for the names of one object and not of those within it.
 */
export type CamelCase<Name> = Name extends `${infer First}_${infer Rest}` ? `${First}${Capitalize<CamelCase<Rest>>}` : Name;

export type SnakeCase<Name> = Name extends `${infer First}${infer Rest}`
  ? First extends Lowercase<First>
    ? `${First}${SnakeCase<Rest>}`
    : `_${Lowercase<First>}${SnakeCase<Rest>}`
  : Name;

/** `size_bytes` becomes `sizeBytes`. */
export function camelCase<T extends object>(record: T): { readonly [Name in keyof T as CamelCase<Name>]: T[Name] } {
  return renamed(record, camelName);
}

/** `sizeBytes` becomes `size_bytes`. */
export function snakeCase<T extends object>(value: T): { readonly [Name in keyof T as SnakeCase<Name>]: T[Name] } {
  return renamed(value, snakeName);
}

const camelName = remembered((name) => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()));
const snakeName = remembered((name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));

/** Every file that is read or added goes through this. Its names are those of this code, so they are few. */
function remembered(rename: (name: string) => string): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => {
    const other = known.get(name) ?? rename(name);
    known.set(name, other);
    return other;
  };
}

function renamed<Result>(value: object, rename: (name: string) => string): Result {
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [rename(name), each])) as Result;
}
