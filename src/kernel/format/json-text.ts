import { ArtifactstoreError } from '../error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';

/** The object that a text is as JSON; undefined for text that is no JSON, or another value. */
export function jsonObjectOf(text: string): JsonObject | undefined {
  try {
    const value: JsonValue = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The object in a text that this software wrote, such as a column of a view. */
export function keptObject(text: string): JsonObject {
  const found = jsonObjectOf(text);
  if (found === undefined) throw new ArtifactstoreError('internal', 'A text that was kept as a JSON object is none.');
  return found;
}

/** The same, of an object whose members are all texts. */
export function keptTexts(text: string): Readonly<Record<string, string>> {
  const found = keptObject(text);
  if (!holdsTexts(found)) throw new ArtifactstoreError('internal', 'A JSON object that was kept with texts alone has other members.');
  return found;
}

function holdsTexts(value: JsonObject): value is Readonly<Record<string, string>> {
  return Object.values(value).every((member) => typeof member === 'string');
}
