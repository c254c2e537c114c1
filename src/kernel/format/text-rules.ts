/** What texts may be, in the words of JSON Schema: what checks them and what describes them use the same. */

/** No control characters, as every reader of a pattern understands it. */
export const textPattern = '^[^\\u0000-\\u001f\\u007f-\\u009f]*$';
const notInReason = '\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f';
/** Not all blank, and of the control characters only tabs and newlines. */
export const reasonPattern: string = `^[^${notInReason}]*[^\\s${notInReason}][^${notInReason}]*$`;
export const slugPattern = '^[a-zA-Z0-9][a-zA-Z0-9._:-]{0,127}$';
export const mediaTypePattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ ]*;[ -~]*)?$";
/** Printable ASCII: a header carries it, and an index of PostgreSQL beside two texts of four bytes a character. */
export const idempotencyKeyPattern = '^[\\x21-\\x7e](?:[\\x20-\\x7e]{0,253}[\\x21-\\x7e])?$';
export const annotationKeyPattern = '^[a-z0-9][a-z0-9._-]{0,127}$';

/** Whether a text has more characters, counted as code points, which is how JSON Schema counts them. */
export function isLonger(text: string, maximum: number): boolean {
  if (text.length <= maximum) return false;
  return text.length > 2 * maximum || [...text].length > maximum;
}
