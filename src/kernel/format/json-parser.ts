import { ArtifactstoreError } from '../error.ts';
import { type JsonValue, maximumJsonDepth, numberFault } from './json-value.ts';

export interface JsonLimits {
  readonly maximumDepth?: number;
  /** Of all values, also those in others: each takes many times the memory of its two bytes of text. */
  readonly maximumValues?: number;
}

/** A JSON text that is read in steps, so that others can be served between them. */
export interface JsonReading {
  /** Reads on, over about so many characters; whether the value is whole. Throws as `parseJson`. */
  read(characters: number): boolean;
  /** The whole value. */
  value(): JsonValue;
}

/**
 * RFC 8259, read so that nothing is lost or guessed: UTF-8 without a byte order mark, no key twice, no lone surrogate,
 * and no number that a double does not carry. Throws `malformed_json` with the line and column.
 *
 * A number is carried when its decimal value is what the double's own shortest form says: 0.1 is,
 * 0.12345678901234567891 is not.
 */
export function parseJson(bytes: Uint8Array, limits: JsonLimits = {}): JsonValue {
  const reading = beginJson(bytes, limits);
  reading.read(Number.POSITIVE_INFINITY);
  return reading.value();
}

/** An array or an object that is being read. */
type OpenValue = { readonly items: JsonValue[] } | { readonly members: Record<string, JsonValue>; key: string };

/** As `parseJson`, in steps. */
export function beginJson(bytes: Uint8Array, limits: JsonLimits = {}): JsonReading {
  const text = decodeText(bytes);
  const { maximumDepth = maximumJsonDepth, maximumValues = Number.POSITIVE_INFINITY } = limits;
  const open: OpenValue[] = [];
  let at = 0;
  let values = 0;
  let whole: { readonly value: JsonValue } | undefined;

  return {
    read(characters) {
      const end = at + characters;
      while (whole === undefined && at < end) readNext();
      return whole !== undefined;
    },
    value() {
      if (whole === undefined) throw new TypeError('The JSON was not read to its end.');
      return whole.value;
    },
  };

  /** Reads a value, or the beginning of one that has others. */
  function readNext(): void {
    skipSpace();
    values += 1;
    if (values > maximumValues)
      throw new ArtifactstoreError('body_too_large', `This JSON has more than ${maximumValues} values, which is as many as are taken.`, {
        info: { bound: 'json_values', limit: maximumValues },
      });
    const unit = text.charCodeAt(at);
    if (unit === 0x5b) {
      enter(open.length + 1);
      const items: JsonValue[] = [];
      if (nextIs(0x5d)) take(items);
      else open.push({ items });
    } else if (unit === 0x7b) {
      enter(open.length + 1);
      const members: Record<string, JsonValue> = {};
      if (nextIs(0x7d)) take(members);
      else open.push({ members, key: readKey(members) });
    } else take(readScalar(unit));
  }

  function readScalar(unit: number): JsonValue {
    switch (unit) {
      case 0x22:
        return readString();
      case 0x74:
        return readWord('true', true);
      case 0x66:
        return readWord('false', false);
      case 0x6e:
        return readWord('null', null);
      default:
        return readNumber();
    }
  }

  /** Puts a value where it belongs, and so each that ends with it. */
  function take(read: JsonValue): void {
    for (let value = read; ; ) {
      const around = open.at(-1);
      if (around === undefined) {
        skipSpace();
        if (at < text.length) throw malformed(text, at, 'there is something after the value');
        whole = { value };
        return;
      }
      if ('items' in around) {
        around.items.push(value);
        if (!nextIs(0x5d)) {
          if (!nextIs(0x2c)) throw malformed(text, at, 'a "," or "]" is missing');
          return;
        }
        value = around.items;
      } else {
        const { members, key } = around;
        // Assigning to `__proto__` would change the prototype instead of adding a member.
        if (key === '__proto__') Object.defineProperty(members, key, { value, enumerable: true, configurable: true, writable: true });
        else members[key] = value;
        if (!nextIs(0x7d)) {
          if (!nextIs(0x2c)) throw malformed(text, at, 'a "," or "}" is missing');
          around.key = readKey(members);
          return;
        }
        value = members;
      }
      open.pop();
    }
  }

  /** The key of the next member, and the colon after it. */
  function readKey(members: Readonly<Record<string, JsonValue>>): string {
    skipSpace();
    const start = at;
    if (text.charCodeAt(at) !== 0x22) throw malformed(text, at, 'a key in double quotes is missing');
    const key = readString();
    if (Object.hasOwn(members, key)) throw malformed(text, start, 'a key is twice in one object');
    if (!nextIs(0x3a)) throw malformed(text, at, 'a ":" is missing');
    return key;
  }

  function enter(depth: number): void {
    if (depth > maximumDepth)
      throw malformed(text, at, `the value is nested over ${maximumDepth} deep`, { bound: 'json_depth', limit: maximumDepth });
    at++;
  }

  function readString(): string {
    const opening = at++;
    let read = '';
    let from = at;
    for (;;) {
      const unit = text.charCodeAt(at);
      if (unit === 0x22) break;
      if (unit === 0x5c) {
        read += text.slice(from, at) + readEscape();
        from = at;
      } else if (unit >= 0x20) at++;
      else if (at >= text.length) throw malformed(text, opening, 'a string is not closed');
      else throw malformed(text, at, 'a string has a control character that is not escaped');
    }
    read += text.slice(from, at++);
    if (!read.isWellFormed()) throw malformed(text, opening, 'a string has a lone surrogate');
    return read;
  }

  function readEscape(): string {
    const letter = text[at + 1];
    if (letter === 'u') {
      const hex = text.slice(at + 2, at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) throw malformed(text, at, 'a \\u escape has no four hex digits');
      at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const meant = letter === undefined ? undefined : escapes.get(letter);
    if (meant === undefined) throw malformed(text, at, 'a string has an unknown escape');
    at += 2;
    return meant;
  }

  function readNumber(): number {
    number.lastIndex = at;
    const token = number.exec(text)?.[0];
    if (token === undefined) throw malformed(text, at, at < text.length ? 'a value is missing' : 'the text ends too soon');
    const value = Number(token);
    const fault = numberFault(value) ?? (carried(token, value) ? undefined : 'has more digits than a double carries');
    if (fault !== undefined) throw malformed(text, at, `a number ${fault}; send it as a string`);
    at += token.length;
    return value === 0 ? 0 : value;
  }

  function readWord<T>(word: string, meaning: T): T {
    if (!text.startsWith(word, at)) throw malformed(text, at, 'a value is missing');
    at += word.length;
    return meaning;
  }

  function nextIs(unit: number): boolean {
    skipSpace();
    if (text.charCodeAt(at) !== unit) return false;
    at++;
    return true;
  }

  function skipSpace(): void {
    for (;;) {
      const unit = text.charCodeAt(at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
      at++;
    }
  }
}

const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

function decodeText(bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new ArtifactstoreError('malformed_json', 'The JSON is not UTF-8.', { cause: error });
  }
  if (text.charCodeAt(0) === 0xfeff) throw malformed(text, 0, 'it starts with a byte order mark');
  return text;
}

function carried(token: string, value: number): boolean {
  const shortest = String(value);
  if (token === shortest) return true;
  const meant = scientific(token);
  const kept = scientific(shortest);
  return meant.digits === kept.digits && meant.exponent === kept.exponent;
}

/** The absolute decimal value as `0.<digits> × 10^exponent`, digits without zeros at either end; zero is no digits. */
function scientific(token: string): { readonly digits: string; readonly exponent: number } {
  const [mantissa = '', power = '0'] = (token.startsWith('-') ? token.slice(1) : token).split(/[eE]/);
  const [whole = '', fraction = ''] = mantissa.split('.');
  const all = whole + fraction;
  let first = 0;
  while (first < all.length && all[first] === '0') first++;
  let end = all.length;
  while (end > first && all[end - 1] === '0') end--;
  if (first === end) return { digits: '', exponent: 0 };
  return { digits: all.slice(first, end), exponent: whole.length - first + Number(power) };
}

function malformed(text: string, at: number, fault: string, info: Readonly<Record<string, unknown>> = {}): ArtifactstoreError {
  const before = text.slice(0, at).split('\n');
  const line = before.length;
  const column = before[line - 1]!.length + 1;
  return new ArtifactstoreError('malformed_json', `The JSON is malformed at line ${line}, column ${column}: ${fault}.`, {
    info: { line, column, ...info },
  });
}
