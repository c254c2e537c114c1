import assert from 'node:assert/strict';
import { S3ServiceException } from '@aws-sdk/client-s3';

/** The error of the store that a call ends with. */
export async function failureOf(call: Promise<unknown>): Promise<S3ServiceException> {
  const error: unknown = await call.then(
    () => undefined,
    (reason) => reason,
  );
  assert.ok(error instanceof S3ServiceException, `the call was to fail: ${String(error)}`);
  return error;
}

/** Its name. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  return (await failureOf(call)).name;
}
