/** Which bytes of a whole a body is, `first` to `last` inclusive; the whole has `size` bytes, where that is known. */
export interface ContentRange {
  readonly first: number;
  readonly last: number;
  readonly size?: number;
}

/**
 * Reads the Content-Range field of a request (RFC 9110 section 14.4): `bytes 0-99/1000`, or `bytes 0-99/*` while the
 * length of the whole is not known. Undefined for what is none, or names bytes that the whole does not have.
 */
export function parseContentRange(value: string): ContentRange | undefined {
  const match = /^bytes +(\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i.exec(value.trim());
  if (match === null) return undefined;
  const [first, last, size] = match.slice(1).map((digits) => (digits === '*' ? undefined : Number(digits)));
  if (![first, last, size ?? 0].every(Number.isSafeInteger)) return undefined;
  if (first! > last! || last! >= (size ?? Number.POSITIVE_INFINITY)) return undefined;
  return { first: first!, last: last!, ...(size === undefined ? {} : { size }) };
}
