import { type TInteger, type TObject, type TOptional, type TSchema, type TString, type TUnsafe, Type } from 'typebox';
import { noControls, problemRecord } from './records.ts';

/** Parameters and answers that route families share. */

type IdParams = TObject<{ id: TString }>;

/** A UUID in its canonical form. */
export function uuid(description: string): TString {
  return Type.String({ format: 'uuid', pattern: '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$', description });
}

export const packageId: IdParams = Type.Object({ id: uuid('The package.') });
export const fileId: IdParams = Type.Object({ id: uuid('The file.') });

export const filePath: TObject<{ id: TString; '*': TString }> = Type.Object({
  id: uuid('The package.'),
  '*': Type.String({ description: 'The relative path, each segment percent-encoded once.' }),
});

/** What a record can hold, and so be found by. */
export const filterText: TString = Type.String({ minLength: 1, maxLength: 256, pattern: noControls });

/** Either digest of bytes. */
export const contentAddress: TString = Type.String({
  pattern: '^[a-z][a-z0-9_-]*:(?:[0-9a-f]{2})+$',
  description: 'A content address: `<algorithm>:<lowercase hex>`.',
});

/** The client has it already; there is no body. */
export const notModified: TUnsafe<never> = Type.Unsafe<never>({ type: 'null', description: 'What If-None-Match names is what there is.' });

/** Of every list. */
export const paging: { readonly limit: TOptional<TInteger>; readonly cursor: TOptional<TString> } = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 2048, pattern: '^[A-Za-z0-9_-]+$', description: '`next_cursor` of the page before.' }),
  ),
};

/**
 * The schemas of a route's answers; every status beyond success is a problem, and so are those that any route can give.
 */
export function answers<T extends Record<number, TSchema>>(success: T, ...failures: readonly number[]): T & Record<number, TUnsafe<never>> {
  const problems = [...failures, 500, 503].map((status) => [status, Type.Unsafe<never>({ ...problemRecord })] as const);
  return { ...Object.fromEntries(problems), ...success };
}
