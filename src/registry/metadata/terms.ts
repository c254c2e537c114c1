import { utf8 } from '../../kernel/content/digest.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { type JsonValue, parseJson } from '../../kernel/format/json.ts';
import { metadataTerm } from '../../kernel/views/fold.ts';
import { beyond } from '../input.ts';
import { limits } from '../limits.ts';

/**
 * What a search by metadata asks for: for each key the terms of which one must be there. Only scalars at the top are
 * found. A key with a dot or a quote in it is written as a JSON string, since `a.b` looks like a way into an object,
 * which is not searched. Of a value,
 * - a JSON string is that text;
 * - a number, `true`, `false` or `null` is that, or a text that reads so;
 * - anything else that is no JSON is a text.
 */
export function metadataTerms(metadata: Readonly<Record<string, string>> | undefined): readonly (readonly string[])[] {
  const asked = Object.entries(metadata ?? {});
  if (asked.length > maximumKeys)
    throw new ArtifactstoreError('malformed_request', `A search names at most ${maximumKeys} metadata keys, not ${asked.length}.`, {
      field: 'metadata',
      ...beyond('metadata_filters'),
    });
  return asked.map(([name, text]) => {
    const key = readKey(name);
    return [...new Set(readValues(name, text).map((value) => metadataTerm(key, value)))];
  });
}

const maximumKeys = limits.metadataFilters;

function readKey(name: string): string {
  const field = `metadata.${name}`;
  if (name === '')
    throw new ArtifactstoreError('malformed_request', 'A search by metadata names a key: metadata.<key>=<value>.', { field });
  if (name.startsWith('"')) {
    const key = readJson(name);
    if (typeof key !== 'string')
      throw new ArtifactstoreError('malformed_request', `The metadata key ${name} is not a JSON string.`, { field });
    return key;
  }
  if (name.includes('.'))
    throw new ArtifactstoreError(
      'malformed_request',
      `Only keys at the top of the metadata can be searched for, not "${name}" inside ` +
        `an object. A top key that has a dot is written in quotes: metadata."${name}".`,
      { field, info: { key: JSON.stringify(name) } },
    );
  return name;
}

function readValues(name: string, text: string): readonly JsonValue[] {
  const value = readJson(text);
  if (value === undefined) return [text];
  if (value !== null && typeof value === 'object')
    throw new ArtifactstoreError(
      'malformed_request',
      'Only a text, a number, true, false or null can be searched for, not an array ' +
        'or an object; a text that looks like one is written in quotes, as a JSON string.',
      { field: `metadata.${name}` },
    );
  return typeof value === 'string' ? [value] : [value, text];
}

/** Undefined for what is no JSON, which includes numbers that would lose digits. */
function readJson(text: string): JsonValue | undefined {
  try {
    return parseJson(utf8(text));
  } catch {
    return undefined;
  }
}
