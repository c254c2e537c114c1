import { createHash } from 'node:crypto';
import type { PutObjectCommand } from '@aws-sdk/client-s3';

/**
 * Signs the body's SHA-256 into the request, so that a store refuses other bytes than these; for bodies that the SDK
 * cannot hash itself.
 */
export function bindBody(command: PutObjectCommand, digestSha256: string): void {
  command.middlewareStack.add(
    (next) => (input) => {
      const { headers } = input.request as { readonly headers: Record<string, string> };
      headers['x-amz-content-sha256'] = digestSha256;
      return next(input);
    },
    { step: 'build', name: 'bindBody', priority: 'low' },
  );
}

/** The Content-MD5 value (RFC 1864). */
export function contentMd5(body: Uint8Array): string {
  return createHash('md5').update(body).digest('base64');
}
