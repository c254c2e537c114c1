import { blake3, sameBytes, utf8 } from '../kernel/content/digest.ts';
import { isRelativePath } from '../kernel/content/path.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { decodeCbor, encodeCbor } from '../kernel/format/cbor.ts';
import { canonicalJson, type JsonValue } from '../kernel/format/json.ts';
import { isId } from '../kernel/id.ts';
import { isTimestamp } from '../kernel/time.ts';
import { isText } from './input.ts';

/**
 * Keyset cursors: opaque text that says where a list continues. A cursor is bound to the list and the filters that it
 * was made for, and carries a check value, so that one that was made up, cut short or moved to another query is refused
 * instead of misread. The check value is no secret: a position is looked at whole, so that nothing reaches the database
 * that no list can have given out.
 */
export function encodeCursor(query: JsonValue, position: string | number): string {
  const body = encodeCbor(position);
  return Buffer.concat([check(query, body), body]).toString('base64url');
}

const positions = {
  sequence: (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value > 0,
  id: (value: unknown): value is string => typeof value === 'string' && isId(value),
  path: (value: unknown): value is string => typeof value === 'string' && isRelativePath(value),
  producer: (value: unknown): value is string => typeof value === 'string' && isText(value),
  expiry: (value: unknown): value is string => typeof value === 'string' && isExpiry(value),
};

interface Positions {
  readonly sequence: number;
  readonly id: string;
  readonly path: string;
  readonly producer: string;
  /** When a package expires, a space, its id. */
  readonly expiry: string;
}

/** The position in `cursor`, or null without one. Throws `invalid_cursor`. */
export function decodeCursor<K extends keyof Positions>(query: JsonValue, cursor: string | undefined, kind: K): Positions[K] | null {
  if (cursor === undefined) return null;
  const bytes = Buffer.from(cursor, 'base64url');
  const body = bytes.subarray(checkBytes);
  if (bytes.toString('base64url') === cursor && body.length > 0 && sameBytes(bytes.subarray(0, checkBytes), check(query, body))) {
    const position = decoded(body);
    if (positions[kind](position)) return position as Positions[K];
  }
  throw new ArtifactstoreError(
    'invalid_cursor',
    'This cursor was not made for this list and these filters; start again without one, or use next_cursor as it was given.',
    { field: 'cursor' },
  );
}

function isExpiry(text: string): boolean {
  const [time = '', id = '', ...others] = text.split(' ');
  return isTimestamp(time) && isId(id) && others.length === 0;
}

function decoded(body: Uint8Array): unknown {
  try {
    return decodeCbor(body);
  } catch {
    return undefined;
  }
}

const checkBytes = 8;

function check(query: JsonValue, body: Uint8Array): Uint8Array {
  return blake3(Buffer.concat([utf8('cursor '), utf8(canonicalJson(query)), body])).subarray(0, checkBytes);
}
