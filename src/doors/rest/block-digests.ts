import type { IncomingMessage } from 'node:http';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { blockDigestsField, parseBlockDigestsField } from '../../protocol/block-digests-field.ts';
import type { AppendOptions } from '../../registry/REGISTRY.ts';

/** What a request that brings bytes of an upload says of their blocks. Errors: `invalid_header`. */
export function statedBlockDigests({ headers }: Pick<IncomingMessage, 'headers'>): Pick<AppendOptions, 'block_digests'> {
  const value = headers[blockDigestsField];
  if (value === undefined) return {};
  const block_digests = parseBlockDigestsField(String(value));
  if (block_digests === undefined)
    throw new ArtifactstoreError(
      'invalid_header',
      'Artifactstore-Block-Digests is a byte sequence (RFC 9651) of BLAKE3 digests, 32 bytes each: ":BASE64:".',
      { field: blockDigestsField },
    );
  return { block_digests };
}

/** Where they would not be looked at. */
export function refuseBlockDigests({ headers }: Pick<IncomingMessage, 'headers'>): void {
  if (headers[blockDigestsField] !== undefined)
    throw new ArtifactstoreError(
      'invalid_header',
      'Artifactstore-Block-Digests is checked where bytes of an upload come: a PUT of a file says Upload-Complete as well.',
      { field: blockDigestsField },
    );
}
