/**
 * What a Range field asks for: `first` to `last` inclusive, to the end where `last` is absent; a suffix of the last so
 * many bytes.
 */
export type RangeRequest =
  | { readonly kind: 'from'; readonly first: number; readonly last?: number }
  | { readonly kind: 'suffix'; readonly length: number };

/**
 * Reads a Range field value (RFC 9110 section 14.2). Undefined means that the field is to be ignored and the whole
 * representation sent: another unit, a syntax error, several ranges.
 */
export function parseRange(value: string): RangeRequest | undefined {
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(value);
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') return last === '' ? undefined : { kind: 'suffix', length: position(last) };
  if (last === '') return { kind: 'from', first: position(first) };
  return position(last) < position(first) ? undefined : { kind: 'from', first: position(first), last: position(last) };
}

/** The bytes that a request selects of `size`, or undefined when none of them exist (416). */
export function selectRange(request: RangeRequest, size: number): { readonly first: number; readonly last: number } | undefined {
  if (size === 0) return undefined;
  if (request.kind === 'suffix') return request.length === 0 ? undefined : { first: Math.max(0, size - request.length), last: size - 1 };
  return request.first >= size ? undefined : { first: request.first, last: Math.min(request.last ?? size - 1, size - 1) };
}

/** Content-Range of a 206 answer (RFC 9110 section 14.4). */
export function formatContentRange(range: { readonly first: number; readonly last: number }, size: number): string {
  return `bytes ${range.first}-${range.last}/${size}`;
}

/** Positions beyond what a number can say exactly lie beyond every representation. */
function position(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}
