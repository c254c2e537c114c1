import { type TInteger, type TObject, type TOptional, type TSchema, type TString, type TUnsafe, Type } from '#typebox';
import { addressPattern } from '../../kernel/content/address.ts';
import { algorithms } from '../../kernel/content/digest.ts';
import { maximumPathBytes, pathPattern, segmentPattern } from '../../kernel/content/path.ts';
import { textPattern } from '../../kernel/format/text-rules.ts';
import { idPattern } from '../../kernel/id.ts';
import { limits } from '../../registry/limits.ts';
import { bounds } from './bounds.ts';
import { problemRecord } from './records.ts';
import { maximumQueryLength } from './validation.ts';

/** Parameters and answers that route families share. */

type IdParams = TObject<{ id: TString }>;

/** A UUID in its canonical form. */
export function uuid(description: string): TString {
  return Type.String({ format: 'uuid', pattern: idPattern, description });
}

export const packageId: IdParams = Type.Object({ id: uuid('The package.') });
export const uploadId: IdParams = Type.Object({ id: uuid('The upload.') });
export const sessionId: IdParams = Type.Object({ id: uuid('The write session.') });
export const fileId: IdParams = Type.Object({ id: uuid('The file.') });

const relativePath = Type.String({
  minLength: 1,
  maxLength: maximumPathBytes,
  pattern: segmentPattern,
  description:
    'The relative path. Each segment is percent-encoded once, and the slashes between segments stay ' +
    'as they are; this description has no way to say that, so its pattern is that of one segment.',
  examples: ['report.txt'],
});
type PathParams = TObject<{ id: TString; '*': TString }>;

export const filePath: PathParams = Type.Object({ id: uuid('The package.'), '*': relativePath });
export const sessionObjectPath: PathParams = Type.Object({ id: uuid('The write session.'), '*': relativePath });

/** What a record can hold, and so be found by. */
export const filterText: TString = Type.String({ minLength: 1, maxLength: limits.textLength, pattern: textPattern });

/** Of a file in its package, as a query has it. */
export const wholePath: TString = Type.String({
  minLength: 1,
  maxLength: maximumPathBytes,
  pattern: pathPattern,
  description: 'The whole path, exactly.',
});

/** Either digest of bytes. */
export const contentAddress: TString = Type.String({
  maxLength: maximumQueryLength,
  pattern: addressPattern,
  description: 'A content address: `<algorithm>:<lowercase hex>`.',
});

/** Of a manifest. */
export const manifestAddress: TString = Type.String({
  maxLength: maximumQueryLength,
  pattern: `^blake3:[0-9a-f]{${2 * algorithms.blake3.digestBytes}}$`,
  description: 'The digest of a manifest: `blake3:<lowercase hex>`.',
});

/** RFC 3339, as a query has it. */
export function queryTime(description: string): TString {
  return Type.String({ format: 'date-time', maxLength: maximumQueryLength, description });
}

/** The client has it already; there is no body. */
export const notModified: TUnsafe<never> = Type.Unsafe<never>({ type: 'null', description: 'What If-None-Match names is what there is.' });

/** Of every list. */
export const paging: { readonly limit: TOptional<TInteger>; readonly cursor: TOptional<TString> } = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.pageItems, default: 100 })),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: bounds.cursor_characters.value,
      pattern: '^[A-Za-z0-9_-]+$',
      description: '`next_cursor` of the page before.',
    }),
  ),
};

/**
 * The schemas of a route's answers; every status beyond success is a problem, and so are those that any route can give.
 */
export function answers<T extends Record<number, TSchema>>(success: T, ...failures: readonly number[]): T & Record<number, TUnsafe<never>> {
  const problems = [...failures, 500, 503].map((status) => [status, Type.Unsafe<never>({ ...problemRecord })] as const);
  return { ...Object.fromEntries(problems), ...success };
}
