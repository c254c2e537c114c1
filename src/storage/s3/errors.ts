import { s3Variables } from '../../credentials/CREDENTIALS.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { cancelled } from '../../runtime/stop.ts';
import { answerTarget, pageOf } from './foreign-answer.ts';
import type { Connection } from './settings.ts';
import { explainFault } from './store-faults.ts';

/** What a call was about, for messages. */
export interface Subject {
  /** As in "could not read". */
  readonly doing: string;
  readonly key?: string;
}

/** The parts of an SDK error that matter; any of them may be missing. */
interface SdkError {
  readonly name?: string;
  readonly Code?: string;
  readonly code?: string;
  readonly Region?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
}

/** The store's own word for what happened (`NoSuchKey`), or the system's (`ECONNREFUSED`). */
export function storeCode(error: unknown): string {
  const { name, Code, code } = error as SdkError;
  return Code ?? code ?? name ?? 'Unknown';
}

export function storeStatus(error: unknown): number | undefined {
  const { $metadata, $response } = error as SdkError;
  return $metadata?.httpStatusCode ?? $response?.statusCode;
}

/** Whether nothing is there, as far as the key goes: not when it is the bucket that is missing. */
export function isNothingThere(error: unknown): boolean {
  const code = storeCode(error);
  return code === 'NoSuchKey' || code === 'NotFound' || (storeStatus(error) === 404 && code !== 'NoSuchBucket' && code !== 'NoSuchUpload');
}

/** Whether other keys might be taken where these were not. */
export function isRefusal(error: unknown): boolean {
  return refusals.has(storeCode(error)) || (storeStatus(error) === 403 && !otherRefusals.has(storeCode(error)));
}

const refusals: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidToken',
  'InvalidAccessKeyId',
  'TokenRefreshRequired',
]);

/** Answers 403 that have nothing to do with the keys. */
const otherRefusals: ReadonlySet<string> = new Set(['QuotaExceeded', 'RequestTimeTooSkewed', 'InvalidObjectState']);

/**
 * What went wrong, in our words, with the setting to look at. Our own errors pass through. `object: 'unknown'` in its
 * `info` means that the store did not look at the object: it is too busy, or does not let these keys.
 */
export function storeError(error: unknown, subject: Subject, connection: Connection, signal: AbortSignal | undefined): unknown {
  if (isArtifactstoreError(error)) return error;
  if (signal?.aborted === true) return cancelled(signal);
  const code = storeCode(error);
  const status = storeStatus(error);
  const where = connection.endpointUrl ?? `AWS S3 in ${connection.region}`;
  const what = subject.key === undefined || subject.key === '' ? subject.doing : `${subject.doing} ${subject.key}`;
  const place = { ...connection, variables: connection.variables ?? s3Variables };
  const fault = explainFault({ code, status, target: answerTarget(error), otherRegion: regionOf(error), page: pageOf(error) }, place);
  return new ArtifactstoreError(
    fault.kind === 'full' ? 'storage_full' : 'storage_unavailable',
    `Could not ${what} at ${where}: ${fault.text} (${nameOf(code, status)})`,
    {
      ...(fault.kind === 'busy' || status === 403 || status === 429 || status === 503 ? { info: { object: 'unknown' } } : {}),
      cause: withoutDetails(error),
    },
  );
}

/** The code in a message; the SDK's stand-ins for an answer without one say nothing. */
function nameOf(code: string, status: number | undefined): string {
  return status !== undefined && /^(Unknown|UnknownError|Error|SyntaxError)$/.test(code) ? `status ${status}` : code;
}

function regionOf(error: unknown): string | undefined {
  const { Region, $response } = error as SdkError;
  const region = $response?.headers?.['x-amz-bucket-region'] ?? Region;
  return typeof region === 'string' && /^[a-z0-9-]{1,64}$/i.test(region) ? region : undefined;
}

/** An answer may repeat the request, with its session token and signature; what failed before there was one cannot. */
function withoutDetails(error: unknown): unknown {
  if (!(error instanceof Error) || storeStatus(error) === undefined) return error;
  const plain = new Error(error.message);
  const { stack } = error;
  return Object.assign(plain, {
    name: error.name,
    code: storeCode(error),
    status: storeStatus(error),
    ...(stack === undefined ? {} : { stack }),
  });
}
