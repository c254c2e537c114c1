import type { JsonObject, JsonValue } from 'artifactstore';
import type { Library } from '../tools.ts';

/** JSON of a file; what is wrong with it names the file, the line and the column. */
export function parseDocument(library: Library, relativePath: string, bytes: Uint8Array): JsonValue {
  try {
    return library.parseJson(bytes);
  } catch (error) {
    if (!library.isArtifactstoreError(error)) throw error;
    throw new library.ArtifactstoreError(error.code, error.message.replace(/^(The JSON )?/, `"${relativePath}": $1`), {
      field: relativePath,
      ...(error.info === undefined ? {} : { info: error.info }),
      cause: error,
    });
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
