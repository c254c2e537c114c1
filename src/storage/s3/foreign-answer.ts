import type { S3Client } from '@aws-sdk/client-s3';
import { speaksHttps } from '../../runtime/connection-fault.ts';

/** The answer as it came, as far as it is of use here. */
interface RawAnswer {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/**
 * Lets the client believe no success that a store did not give. What is in front of a store (the log-in page of a
 * network, a proxy, another service) answers 200 to everything, which reads as an empty list, an empty object, a write
 * that took place. So a page is no answer, and each answer must have what every store puts into it.
 */
export function refuseForeignAnswers(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        const result = await next(args);
        const raw = result.response as RawAnswer;
        const proof = proofs[commandName.replace(/Command$/, '')];
        const output: Readonly<Record<string, unknown>> = { ...result.output };
        const isProven = proof?.every((names) => names.some((name) => isGiven(output[name]))) ?? !isPage(raw);
        if (isProven) return result;
        (raw.body as { destroy?(): void } | undefined)?.destroy?.();
        const { statusCode: httpStatusCode } = raw;
        throw Object.assign(new Error('not an answer of S3'), { code: foreignAnswer, $metadata: { httpStatusCode }, $response: raw });
      },
    { step: 'initialize', name: 'refuseForeignAnswers' },
  );
}

/** The code of an answer that no store gave. */
export const foreignAnswer = 'ForeignAnswer';

/** What a store's answer to a call always has: one of each list. */
const proofs: Readonly<Record<string, readonly (readonly string[])[]>> = {
  GetObject: [['ETag'], ['ContentLength']],
  HeadObject: [['ETag'], ['ContentLength']],
  PutObject: [['ETag']],
  UploadPart: [['ETag']],
  CreateMultipartUpload: [['UploadId']],
  CompleteMultipartUpload: [['ETag', 'Location', 'Key', 'Bucket']],
  ListObjectsV2: [['Name', 'IsTruncated', 'KeyCount', 'MaxKeys']],
  ListMultipartUploads: [['Bucket', 'IsTruncated', 'MaxUploads']],
  ListParts: [['Bucket', 'UploadId', 'IsTruncated', 'MaxParts']],
};

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== '';
}

/** Stores answer these calls with nothing or with XML. */
function isPage({ headers }: RawAnswer): boolean {
  return /html|json/i.test(headers?.['content-type'] ?? '');
}

function describe({ headers }: RawAnswer): string {
  return [headers?.server, headers?.['content-type']].filter((text) => text !== undefined).join(', ');
}

/** Where a redirect leads, without what may be a secret in it. */
export function answerTarget(error: unknown): string | undefined {
  const { Endpoint, $response } = error as { readonly Endpoint?: unknown; readonly $response?: RawAnswer };
  if (typeof Endpoint === 'string' && /^[\w.:-]{1,255}$/.test(Endpoint)) return Endpoint;
  const url = URL.parse($response?.headers?.location ?? '');
  return url === null ? undefined : `${url.origin}${url.pathname}`;
}

/**
 * What is known of a page that came instead of XML: its title, or who sent it. Undefined where the answer was a
 * store's. The text of a page is not repeated: it may hold the request with its signature.
 */
export function pageOf(error: unknown): string | undefined {
  const {
    code,
    head,
    $responseBodyText: text,
    $response,
  } = error as {
    readonly code?: unknown;
    readonly head?: { readonly title?: unknown };
    readonly $responseBodyText?: unknown;
    readonly $response?: RawAnswer;
  };
  if ($response === undefined) return undefined;
  const body = typeof text === 'string' ? text : '';
  const title =
    typeof head?.title === 'string' ? head.title : (/<title[^>]*>([^<]*)/i.exec(body)?.[1] ?? (speaksHttps(body) ? body : undefined));
  if (title !== undefined)
    return title
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .trim()
      .slice(0, 100);
  return code === foreignAnswer || typeof text === 'string' || isPage($response) ? describe($response) : undefined;
}
