/**
 * Entity tags and the conditions on them (RFC 9110 sections 8.8.3 and 13.1). Tags are written with their quotes, as on
 * the wire.
 */

/** If-Match: true when the request may continue. Strong comparison; `*` matches what exists. */
export function ifMatchHolds(field: string, etag: string): boolean {
  return field.trim() === '*' || entityTags(field).some((tag) => tag === etag && !isWeak(tag));
}

/** If-None-Match: true when the client has this representation already (304 for GET and HEAD). Weak comparison. */
export function ifNoneMatchHits(field: string, etag: string): boolean {
  return field.trim() === '*' || entityTags(field).some((tag) => opaque(tag) === opaque(etag));
}

/**
 * If-Range: true when the range may be served, false when the whole must be. Strong comparison; dates never match, we
 * give none.
 */
export function ifRangeHolds(field: string, etag: string): boolean {
  const tag = field.trim();
  return tag === etag && !isWeak(tag);
}

function entityTags(field: string): readonly string[] {
  return field.match(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g) ?? [];
}

function isWeak(tag: string): boolean {
  return tag.startsWith('W/');
}

function opaque(tag: string): string {
  return isWeak(tag) ? tag.slice(2) : tag;
}
