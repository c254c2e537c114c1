import { ArtifactstoreError } from '../error.ts';
import { isPlainObject } from './json-value.ts';

export { beginJson, type JsonLimits, type JsonReading, parseJson } from './json-parser.ts';
export { checkJson, hasMoreValues, isJsonObject, type JsonObject, type JsonValue, maximumJsonDepth } from './json-value.ts';

/**
 * RFC 8785 (JCS): keys by UTF-16 code units, no space, numbers and strings as ECMAScript writes them. Throws on what is
 * no JSON value.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return canonicalString(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new ArtifactstoreError('invalid_value', `JSON has no number ${value}.`);
    return String(value);
  }
  if (value === null || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) {
    const items: string[] = [];
    for (let index = 0; index < value.length; index++) items.push(canonicalJson(value[index]));
    return `[${items.join(',')}]`;
  }
  if (isPlainObject(value)) {
    const members = Object.keys(value).sort();
    return `{${members.map((key) => `${canonicalString(key)}:${canonicalJson(value[key])}`).join(',')}}`;
  }
  throw new TypeError(`A value of type ${typeof value} is no JSON value.`);
}

function canonicalString(text: string): string {
  if (!text.isWellFormed()) throw new ArtifactstoreError('invalid_value', 'A string has a lone surrogate.');
  return JSON.stringify(text);
}
