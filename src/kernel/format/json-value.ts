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
  check(value, field, 1);
  return value as JsonValue;
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

function check(value: unknown, at: string, depth: number): void {
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw invalidValue('is a string with a lone surrogate', at);
  } else if (typeof value === 'number') {
    const fault = numberFault(value);
    if (fault !== undefined) throw invalidValue(fault, at);
  } else if (Array.isArray(value)) {
    if (depth > maximumJsonDepth) throw invalidValue(`is nested over ${maximumJsonDepth} deep`, at);
    for (let index = 0; index < value.length; index++) check(value[index], `${at}/${index}`, depth + 1);
  } else if (isPlainObject(value)) {
    if (depth > maximumJsonDepth) throw invalidValue(`is nested over ${maximumJsonDepth} deep`, at);
    for (const key of Object.keys(value)) {
      if (!key.isWellFormed()) throw invalidValue('has a key with a lone surrogate', at);
      check(value[key], `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, depth + 1);
    }
  } else {
    throw invalidValue('is not a JSON value', at);
  }
}

function invalidValue(fault: string, at: string): ArtifactstoreError {
  return new ArtifactstoreError('invalid_value', `The value${at === '' ? '' : ` at ${at}`} ${fault}.`, at === '' ? {} : { field: at });
}
