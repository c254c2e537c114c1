import { ArtifactstoreError } from '../error.ts';

/** A value that both canonical forms carry without loss: JSON (RFC 8785) and CBOR (`cbor.ts`). */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How deep arrays and objects may nest in what users send. */
export const maximumJsonDepth = 64;

/**
 * The same value, known to be one that the canonical forms carry; throws `invalid_value`, naming the place under
 * `field`.
 */
export function checkJson(value: unknown, field = ''): JsonValue {
  check(value, field, undefined, 1);
  return value as JsonValue;
}

/** Whether it has more values than so many, those in others included. */
export function hasMoreValues(value: JsonValue, most: number): boolean {
  const left: JsonValue[] = [value];
  let count = 1;
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    if (typeof one !== 'object' || one === null) continue;
    const members = Array.isArray(one) ? one : Object.values(one);
    count += members.length;
    if (count > most) return true;
    for (const member of members) left.push(member);
  }
  return false;
}

/** An object literal's kind of object: no array, no instance of a class. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Why a number is refused, or undefined when the canonical forms carry it: every finite double. */
export function numberFault(value: number): string | undefined {
  return Number.isFinite(value) ? undefined : 'is not a finite number';
}

/** Where a value is. Nothing is written down of it before something is wrong: there are thousands of values. */
interface Place {
  readonly around: Place | undefined;
  readonly name: string | number;
}

function check(value: unknown, field: string, place: Place | undefined, depth: number): void {
  const fault = faultOf(value, depth);
  if (fault !== undefined) throw invalidValue(fault, pointer(field, place));
  if (Array.isArray(value)) {
    for (let name = 0; name < value.length; name++) checkMember(value[name], field, place, name, depth + 1);
  } else if (isPlainObject(value)) {
    for (const name of Object.keys(value)) {
      if (!name.isWellFormed()) throw invalidValue('has a key with a lone surrogate', pointer(field, place));
      checkMember(value[name], field, place, name, depth + 1);
    }
  }
}

function checkMember(value: unknown, field: string, around: Place | undefined, name: string | number, depth: number): void {
  if (typeof value === 'object' ? value !== null : faultOf(value, depth) !== undefined) check(value, field, { around, name }, depth);
}

/** What is wrong with a value, without those in it. */
function faultOf(value: unknown, depth: number): string | undefined {
  switch (typeof value) {
    case 'boolean':
      return undefined;
    case 'string':
      return value.isWellFormed() ? undefined : 'is a string with a lone surrogate';
    case 'number':
      return numberFault(value);
    default:
      if (value === null) return undefined;
      if (!Array.isArray(value) && !isPlainObject(value)) return 'is not a JSON value';
      return depth > maximumJsonDepth ? `is nested over ${maximumJsonDepth} deep` : undefined;
  }
}

/** A JSON pointer (RFC 6901) from `field` on. */
function pointer(field: string, place: Place | undefined): string {
  if (place === undefined) return field;
  const name = String(place.name).replaceAll('~', '~0').replaceAll('/', '~1');
  return `${pointer(field, place.around)}/${name}`;
}

function invalidValue(fault: string, at: string): ArtifactstoreError {
  return new ArtifactstoreError('invalid_value', `The value${at === '' ? '' : ` at ${at}`} ${fault}.`, at === '' ? {} : { field: at });
}
