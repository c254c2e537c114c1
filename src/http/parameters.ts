import { type TInteger, type TObject, type TOptional, type TSchema, type TString, type TUnsafe, Type } from 'typebox';
import { problemRecord } from './records.ts';

/** Parameters and answers that route families share. */

type IdParams = TObject<{ id: TString }>;

export const packageId: IdParams = Type.Object({ id: Type.String({ format: 'uuid', description: 'The package.' }) });
export const fileId: IdParams = Type.Object({ id: Type.String({ format: 'uuid', description: 'The file.' }) });

export const filePath: TObject<{ id: TString; '*': TString }> = Type.Object({
  id: Type.String({ format: 'uuid', description: 'The package.' }),
  '*': Type.String({ description: 'The relative path, each segment percent-encoded once.' }),
});

/** Of every list. */
export const paging: { readonly limit: TOptional<TInteger>; readonly cursor: TOptional<TString> } = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
  cursor: Type.Optional(Type.String({ maxLength: 1024, description: '`next_cursor` of the page before.' })),
};

/** The schemas of a route's answers; every status beyond success is a problem, and so are those that any route can give. */
export function answers<T extends Record<number, TSchema>>(success: T, ...failures: readonly number[]): T & Record<number, TUnsafe<never>> {
  const problems = [...failures, 500, 503].map((status) => [status, Type.Unsafe<never>({ ...problemRecord })] as const);
  return { ...Object.fromEntries(problems), ...success };
}
