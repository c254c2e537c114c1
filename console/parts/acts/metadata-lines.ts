import { type JsonValue, parseJson } from '../../../src/kernel/format/json.ts';

/** Metadata as a person types it: a key and a value on a line. */
export interface MetadataLine {
  readonly key: string;
  readonly value: string;
}

export type MetadataRead =
  | { readonly metadata: Readonly<Record<string, JsonValue>> }
  /** The line that is wrong, from 0. */
  | { readonly wrong: 'key-twice' | 'no-key'; readonly line: number };

/**
 * As `push --metadata` reads it: the value is JSON where it can be read as JSON without loss, else a text. Lines that
 * are empty say nothing.
 */
export function readMetadata(lines: readonly MetadataLine[]): MetadataRead {
  const entries = new Map<string, JsonValue>();
  for (const [line, { key, value }] of lines.entries()) {
    if (key === '' && value === '') continue;
    if (key === '') return { wrong: 'no-key', line };
    if (entries.has(key)) return { wrong: 'key-twice', line };
    entries.set(key, jsonOrText(value));
  }
  return { metadata: Object.fromEntries(entries) };
}

/** The options of `push` that say the same. */
export function metadataOptions(lines: readonly MetadataLine[]): readonly string[] {
  return lines.flatMap(({ key, value }) => (key === '' ? [] : ['--metadata', `${key}=${value}`]));
}

function jsonOrText(text: string): JsonValue {
  try {
    return parseJson(new TextEncoder().encode(text));
  } catch {
    return text;
  }
}
