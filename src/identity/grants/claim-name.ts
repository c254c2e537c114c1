import type { JsonObject, JsonValue } from '../../kernel/format/json-value.ts';

/** A claim as the access file names it: `ref`, or a JSON pointer (RFC 6901) such as `/kubernetes.io/namespace`. */
export interface ClaimName {
  readonly text: string;
  /** The members on the way to it. */
  readonly steps: readonly string[];
}

/** Throws an Error that says what is wrong with the name. */
export function parseClaimName(text: string): ClaimName {
  if (text === '') throw new Error('the name of a claim is empty');
  if (/\p{Cc}/u.test(text) || !text.isWellFormed()) throw new Error('the name of a claim has a control character or half a character');
  if (!text.startsWith('/')) return { text, steps: [text] };
  if (/~(?![01])/.test(text)) throw new Error('in a JSON pointer (RFC 6901), "~" is written ~0 and a "/" within a name ~1');
  const steps = text
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (steps.includes('')) throw new Error('the JSON pointer has an empty part');
  return { text, steps };
}

/** What a token says under this name; undefined for nothing. Only own members count. */
export function claimOf(claims: JsonObject, { steps }: ClaimName): JsonValue | undefined {
  let value: JsonValue | undefined = claims;
  for (const step of steps) {
    if (Array.isArray(value)) value = /^(?:0|[1-9]\d*)$/.test(step) ? value[Number(step)] : undefined;
    else if (typeof value === 'object' && value !== null && Object.hasOwn(value, step)) value = (value as JsonObject)[step];
    else return undefined;
  }
  return value;
}
