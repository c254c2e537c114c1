import { ArtifactstoreError } from '../error.ts';
import { utf8 } from './digest.ts';

declare const brand: unique symbol;

/**
 * A file's path within its package: metadata, stored as given, never normalised and never used as a place on a disk. It
 * is legal when it is well-formed text of 1 to 1,024 bytes of UTF-8, without backslashes and control characters (U+0000
 * to U+001F, U+007F to U+009F), and none of its segments, split at `/`, is empty, `.` or `..` (docs/format.md, section
 * 3).
 */
export type RelativePath = string & { readonly [brand]: 'RelativePath' };

/** In bytes of UTF-8. */
export const maximumPathBytes = 1024;

/** What a segment does not hold: a slash, a backslash, a control character. */
const foreign = '/\\\\\\u0000-\\u001f\\u007f-\\u009f';
const segment = `(?:[^.${foreign}][^${foreign}]*|\\.[^.${foreign}][^${foreign}]*|\\.\\.[^${foreign}]+)`;

/**
 * The legal shape, as every reader of a pattern understands it; the length in bytes, and half characters, are beyond a
 * pattern.
 */
export const pathPattern: string = `^${segment}(?:/${segment})*$`;
/** That of a path without a folder. */
export const segmentPattern: string = `^${segment}$`;

/** Throws `invalid_path`, saying which rule the path breaks. */
export function parseRelativePath(text: string, field?: string): RelativePath {
  const fault = pathFault(text);
  if (fault !== undefined) throw invalidPath(fault, field, typeof text === 'string' && utf8(text).length > maximumPathBytes);
  return text as RelativePath;
}

/** Each once. Throws `invalid_path`, and `malformed_request` for a path that is named twice. */
export function parseRelativePaths(texts: readonly string[], field: string): readonly RelativePath[] {
  const seen = new Set<string>();
  return texts.map((text, index) => {
    const path = parseRelativePath(text, `${field}/${index}`);
    if (seen.has(path)) throw new ArtifactstoreError('malformed_request', `"${path}" is named twice.`, { field: `${field}/${index}` });
    seen.add(path);
    return path;
  });
}

export function isRelativePath(text: string): text is RelativePath {
  return pathFault(text) === undefined;
}

/**
 * The path that the tail of a URL names. `raw` is still percent-encoded: it is split at `/` first and each segment is
 * decoded once after, so an encoded slash cannot pass for a separator; it is refused.
 */
export function pathFromUrl(raw: string, field?: string): RelativePath {
  if (/[^!-~]|[?#]/.test(raw)) throw invalidPath('has a character that must be percent-encoded in a URL', field);
  const segments = raw.split('/').map((segment) => {
    const decoded = decodeSegment(segment);
    if (decoded === undefined) throw invalidPath('has a percent escape that is malformed or not UTF-8', field);
    if (decoded.includes('/')) throw invalidPath('has an encoded slash', field);
    return decoded;
  });
  return parseRelativePath(segments.join('/'), field);
}

/** The inverse of `pathFromUrl`. */
export function pathToUrl(path: RelativePath): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/**
 * Orders well-formed strings by the bytes of their UTF-8, which is the order of their code points. UTF-16 order differs
 * from it in one place only: surrogates, which stand for code points above U+FFFF, come before U+E000..U+FFFF there.
 */
export function comparePaths(left: string, right: string): number {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function pathFault(text: string): string | undefined {
  if (typeof text !== 'string') return 'is not a string';
  if (text === '') return 'is empty';
  if (!text.isWellFormed()) return 'is not well-formed Unicode: it has a lone surrogate';
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20 || (unit >= 0x7f && unit <= 0x9f))
      return `has the control character U+${unit.toString(16).toUpperCase().padStart(4, '0')}`;
    if (unit === 0x5c) return 'has a backslash';
    // Each half of a surrogate pair accounts for two of its four bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;
  }
  if (bytes > maximumPathBytes) return `is ${bytes} bytes long in UTF-8, over the limit of ${maximumPathBytes}`;
  if (text.startsWith('/')) return 'starts with a slash';
  for (const segment of text.split('/')) {
    if (segment === '') return 'has an empty segment';
    if (segment === '.' || segment === '..') return `has the segment "${segment}"`;
  }
  return undefined;
}

function invalidPath(fault: string, field: string | undefined, tooLong = false): ArtifactstoreError {
  return new ArtifactstoreError('invalid_path', `The relative path ${fault}.`, {
    ...(field === undefined ? {} : { field }),
    ...(tooLong ? { info: { bound: 'path_bytes', limit: maximumPathBytes } } : {}),
  });
}
