import { isUtf8 } from 'node:buffer';
import type { JsonObject, JsonValue } from 'artifactstore';
import type { Library } from '../tools.ts';

/**
 * JSON of a file; what is wrong with it names the file, the line and the column. The file is kept byte by byte: a
 * number that a double does not carry is no reason to refuse it.
 */
export function parseDocument(library: Library, relativePath: string, bytes: Uint8Array): JsonValue {
  try {
    return library.parseJson(bytes);
  } catch (error) {
    if (!library.isArtifactstoreError(error)) throw error;
    const value = parseLoosely(bytes);
    if (value !== undefined) return value;
    throw new library.ArtifactstoreError(error.code, error.message.replace(/^(The JSON )?/, `"${relativePath}": $1`), {
      field: relativePath,
      ...(error.info === undefined ? {} : { info: error.info }),
      cause: error,
    });
  }
}

/** As JavaScript reads it; undefined where it is no JSON at all. */
function parseLoosely(bytes: Uint8Array): JsonValue | undefined {
  if (!isUtf8(bytes)) return undefined;
  try {
    const value: JsonValue = JSON.parse(Buffer.from(bytes).toString());
    return value;
  } catch {
    return undefined;
  }
}

export function parseObject(library: Library, relativePath: string, bytes: Uint8Array): JsonObject {
  const value = parseDocument(library, relativePath, bytes);
  if (!isObject(value))
    throw new library.ArtifactstoreError('invalid_value', `"${relativePath}" does not hold a JSON object.`, { field: relativePath });
  return value;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
