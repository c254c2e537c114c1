import { type TInteger, type TNull, type TSchema, type TString, type TUnion, type TUnsafe, Type } from '#typebox';
import { addressPattern } from '../../kernel/content/address.ts';
import { maximumPathBytes, pathPattern } from '../../kernel/content/path.ts';
import type { JsonObject, JsonValue } from '../../kernel/format/json.ts';
import { annotationKeyPattern, textPattern } from '../../kernel/format/text-rules.ts';
import { idPattern } from '../../kernel/id.ts';
import { limits } from '../../registry/limits.ts';

/** What members of records and of bodies are, as JSON Schema. */
export const sha256OfHello = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
export const text: TString = Type.String();
export const textOrNull: TUnion<[TString, TNull]> = Type.Union([Type.String(), Type.Null()]);
export const time: TString = Type.String({ format: 'date-time', description: 'RFC 3339, UTC, milliseconds.' });
export const timeOrNull: TUnion<[TString, TNull]> = Type.Union([time, Type.Null()]);
export const id: TString = Type.String({ format: 'uuid', pattern: idPattern });
export const count: TInteger = Type.Integer({ minimum: 0 });
export const countOrNull: TUnion<[TInteger, TNull]> = Type.Union([count, Type.Null()]);
export const address: TString = Type.String({
  pattern: addressPattern,
  description: 'A content address: `<algorithm>:<lowercase hex>`.',
  examples: [`sha256:${sha256OfHello}`],
});
export const path: TString = Type.String({
  minLength: 1,
  maxLength: maximumPathBytes,
  pattern: pathPattern,
  description:
    `A relative path of at most ${maximumPathBytes} bytes in UTF-8: no ` +
    'segment is empty, `.` or `..`; no backslash, no control character.',
  examples: ['reports/summary.txt'],
});
export const addressOrNull: TUnion<[TString, TNull]> = Type.Union([address, Type.Null()]);
export const stringMap: TUnsafe<Readonly<Record<string, string>>> = Type.Unsafe<Readonly<Record<string, string>>>({
  type: 'object',
  maxProperties: limits.annotations,
  propertyNames: { pattern: annotationKeyPattern },
  additionalProperties: { type: 'string', maxLength: limits.annotationLength, pattern: textPattern },
  examples: [{ mode: 'executable' }],
});
export const jsonObject: TUnsafe<JsonObject> = Type.Unsafe<JsonObject>({ type: 'object', additionalProperties: true });
export const jsonValue: TUnsafe<JsonValue> = Type.Unsafe<JsonValue>({ description: 'Any JSON value.' });

export function pageOf(item: TSchema): TSchema {
  return Type.Object({ items: Type.Array(item), next_cursor: textOrNull });
}
