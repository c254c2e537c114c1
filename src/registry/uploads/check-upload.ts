import { checkedDigests } from '../../dataplane/DATAPLANE.ts';
import { parseRelativePath } from '../../kernel/content/path.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { parseId } from '../../kernel/id.ts';
import { checkAnnotations, checkMediaType } from '../input.ts';
import type { NewUpload } from '../REGISTRY.ts';

/** What was said of an upload; null where nothing was. */
export interface CheckedUpload {
  readonly package_id: string | null;
  readonly relative_path: string | null;
  readonly media_type: string | null;
  readonly annotations: Readonly<Record<string, string>>;
  readonly size_bytes: number | null;
  readonly digests: ReadonlyMap<string, Uint8Array>;
}

/** Throws `invalid_id`, `invalid_path`, `invalid_value`. */
export function checkUpload(input: NewUpload): CheckedUpload {
  const { package_id, relative_path, media_type, digests = new Map<string, Uint8Array>() } = input;
  for (const [algorithm, digest] of digests)
    if (checkedDigests[algorithm] !== digest.length)
      throw new ArtifactstoreError('invalid_value', `A digest by "${algorithm}" cannot be checked here, or has another length.`, {
        field: '/digests',
        info: { algorithm },
      });
  return {
    package_id: package_id === undefined ? null : parseId(package_id, 'package_id'),
    relative_path: relative_path === undefined ? null : parseRelativePath(relative_path, 'relative_path'),
    media_type: media_type === undefined ? null : checkMediaType(media_type),
    annotations: checkAnnotations(input.annotations),
    size_bytes: input.size_bytes === undefined ? null : checkCount(input.size_bytes, 'size_bytes'),
    digests,
  };
}

/** Whole, 0 or more, and exact. */
export function checkCount(value: number, field: string): number {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new ArtifactstoreError('invalid_value', `"${field}" must be a whole number, 0 or more.`, { field: `/${field}` });
  return value;
}

/** Whole digests of 32 bytes, and at least one. */
export function checkBlockDigests(digests: Uint8Array): void {
  if (digests.length === 0 || digests.length % 32 !== 0)
    throw new ArtifactstoreError('invalid_value', `Digests of blocks have 32 bytes each: ${digests.length} bytes are none.`, {
      field: '/block_digests',
    });
}
