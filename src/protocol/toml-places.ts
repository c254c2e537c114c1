import { parse } from 'smol-toml';

/** Both from 1; columns count characters. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

type Path = readonly (string | number)[];

/**
 * Where the entries of a TOML document are. The document was parsed before: this only finds places in it, and takes
 * any document to be right.
 */
export function placesIn(text: string): (path: Path, part?: 'key' | 'value') => Place {
  const found = offsetsIn(text);
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  return (path, part = 'key') => {
    for (let length = path.length; length > 0; length -= 1) {
      const entry = found.get(path.slice(0, length).reduce(below, ''));
      if (entry !== undefined) return placeAt(text, starts, length === path.length ? entry[part] : entry.key);
    }
    return { line: 1, column: 1 };
  };
}

interface Offsets {
  readonly key: number;
  readonly value: number;
}

/** Paths are kept as text: a large document has many. */
function below(path: string, part: string | number): string {
  return `${path}\n${part}`;
}

/** `starts` is where each line begins. */
function placeAt(text: string, starts: readonly number[], offset: number): Place {
  let [from, to] = [0, starts.length];
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    if (starts[middle]! <= offset) from = middle;
    else to = middle;
  }
  return { line: from + 1, column: [...text.slice(starts[from], offset)].length + 1 };
}

function offsetsIn(text: string): ReadonlyMap<string, Offsets> {
  const found = new Map<string, Offsets>();
  /** Of arrays of tables: the number of the last one. */
  const last = new Map<string, number>();
  let at = 0;
  const note = (path: string, key: number, value = key): void => {
    if (!found.has(path)) found.set(path, { key, value });
  };
  /** One match after the other: a pattern that repeats itself a million times has no room on the stack. */
  const skip = (blank: RegExp): void => {
    for (let length = 1; length > 0; at += length) {
      blank.lastIndex = at;
      length = blank.exec(text)?.[0].length ?? 0;
    }
  };
  const keyParts = (): readonly { readonly name: string; readonly offset: number }[] => {
    const parts: { readonly name: string; readonly offset: number }[] = [];
    for (;;) {
      skip(spaces);
      keyPart.lastIndex = at;
      const raw = keyPart.exec(text)?.[0] ?? '';
      parts.push({ name: /^["']/.test(raw) ? unquoted(raw) : raw, offset: at });
      at += raw.length;
      skip(spaces);
      if (text[at] !== '.') return parts;
      at += 1;
    }
  };
  const header = (): string => {
    const isArray = text.startsWith('[[', at);
    at += isArray ? 2 : 1;
    const parts = keyParts();
    at += isArray ? 2 : 1;
    let path = '';
    for (const [index, { name, offset }] of parts.entries()) {
      path = below(path, name);
      note(path, offset);
      if (isArray && index === parts.length - 1) last.set(path, (last.get(path) ?? -1) + 1);
      const item = last.get(path);
      if (item === undefined) continue;
      path = below(path, item);
      note(path, offset);
    }
    return path;
  };
  const entry = (table: string): void => {
    let path = table;
    const parts = keyParts();
    at += 1;
    skip(spaces);
    for (const { name, offset } of parts) {
      path = below(path, name);
      note(path, offset, at);
    }
    value(path);
  };
  const value = (path: string): void => {
    if (text[at] === '[' || text[at] === '{') {
      const isList = text[at] === '[';
      at += 1;
      for (let item = 0; ; ) {
        skip(blanks);
        if (at >= text.length) return;
        if (text[at] === ']' || text[at] === '}') break;
        if (text[at] === ',') at += 1;
        else if (isList) {
          const inner = below(path, item++);
          note(inner, at);
          value(inner);
        } else entry(path);
      }
      at += 1;
      return;
    }
    scalar.lastIndex = at;
    at += Math.max(1, scalar.exec(text)?.[0].length ?? 1);
  };
  let table = '';
  for (;;) {
    skip(blanks);
    if (at >= text.length) return found;
    if (text[at] === '[') table = header();
    else entry(table);
  }
}

const spaces = /[ \t]+/y;
const blanks = /[\s\uFEFF]+|#[^\n]*/y;
const keyPart = /"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+/y;
/** Strings of several lines first; a date may have a space in it. */
const scalar = /"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"{3,5}|'''[^']*(?:'(?!'')[^']*)*'{3,5}|"[^"\\]*(?:\\.[^"\\]*)*"|'[^']*'|[^,\]}#\n]+/sy;

function unquoted(raw: string): string {
  return Object.keys(parse(`${raw} = 0`))[0] ?? raw;
}
