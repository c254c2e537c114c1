import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ArtifactstoreError } from '../kernel/error.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../kernel/format/json.ts';
import { fileReason } from '../runtime/file-error.ts';

/** What `--metadata-file` and `--metadata` say together: the latter overrides. */
export function metadataOf(directory: string, file: string | undefined, entries: readonly string[] = []): JsonObject {
  return { ...metadataFile(directory, file), ...metadataEntries(entries) };
}

function metadataFile(directory: string, path: string | undefined): JsonObject {
  if (path === undefined) return {};
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(resolve(directory, path));
  } catch (cause) {
    throw optionError('--metadata-file', `"${path}" can't be read: ${fileReason(cause)}`, cause);
  }
  let value: JsonValue;
  try {
    value = parseJson(bytes);
  } catch (cause) {
    throw optionError('--metadata-file', `"${path}" holds no JSON that can be kept: ${(cause as Error).message}`, cause);
  }
  if (!isJsonObject(value)) throw optionError('--metadata-file', `"${path}" does not hold a JSON object.`);
  return value;
}

function metadataEntries(texts: readonly string[]): JsonObject {
  const entries = texts.map(metadataEntry);
  const keys = new Set<string>();
  for (const [key] of entries) {
    if (keys.has(key)) throw optionError('--metadata', `The key "${key}" is given twice.`);
    keys.add(key);
  }
  return Object.fromEntries(entries);
}

function optionError(option: string, message: string, cause?: unknown): ArtifactstoreError {
  return new ArtifactstoreError('invalid_value', `${option}: ${message}`, { field: option, cause });
}

function metadataEntry(text: string): readonly [string, JsonValue] {
  const equals = text.indexOf('=');
  if (equals < 1) throw optionError('--metadata', `"${text}" does not look like key=value.`);
  const value = text.slice(equals + 1);
  try {
    return [text.slice(0, equals), parseJson(Buffer.from(value))];
  } catch {
    return [text.slice(0, equals), value];
  }
}
