import { DisplayString, parseDictionary, serializeDictionary } from 'structured-headers';

/**
 * The field `Artifactstore-Annotations`: an RFC 9651 dictionary of strings, such as
 * `mode="executable", title=%"caf%c3%a9"`. Text beyond printable ASCII is a display string.
 */
export const annotationsField = 'artifactstore-annotations';

/** The annotations, or undefined when the field is malformed. */
export function parseAnnotationsField(value: string): Readonly<Record<string, string>> | undefined {
  try {
    const entries: [string, string][] = [];
    for (const [key, [item, parameters]] of parseDictionary(value)) {
      if (parameters.size > 0) return undefined;
      if (typeof item === 'string') entries.push([key, item]);
      else if (item instanceof DisplayString) entries.push([key, item.toString()]);
      else return undefined;
    }
    return Object.fromEntries(entries);
  } catch {
    return undefined;
  }
}

/** The field's value; keys must be keys of RFC 9651 (lowercase letters, digits, `_`, `-`, `.`, `*`). */
export function formatAnnotationsField(annotations: Readonly<Record<string, string>>): string {
  const entries = Object.entries(annotations).map(
    ([key, text]) => [key, [/^[\x20-\x7e]*$/.test(text) ? text : new DisplayString(text), new Map()]] as const,
  );
  return serializeDictionary(new Map(entries.map(([key, [item, parameters]]) => [key, [item, parameters]])));
}
