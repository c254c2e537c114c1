import { createFilesHasher } from '../kernel/content/files-digest.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { limits } from './limits.ts';
import { filesPerStretch, type PreparedSealing, type ReadStretch, type SealingStretch } from './operations/sealing.ts';

/**
 * Reads what a sealing needs of a package's files, in stretches between which others are served. Errors:
 * `too_many_files`.
 */
export async function prepareSealing(
  read: (name: 'package.stretch', input: ReadStretch) => Promise<SealingStretch>,
  id: string,
  withDigest: boolean,
): Promise<PreparedSealing> {
  const hasher = createFilesHasher();
  const files: Uint8Array[] = [];
  const receipts: Uint8Array[] = [];
  let fileCount = 0;
  let bytes = 0;
  let receiptCount = 0;
  let sequence: number | undefined;
  let after: string | null = null;
  for (;;) {
    const stretch: SealingStretch = await read('package.stretch', { id, after, with_facts: withDigest });
    sequence ??= stretch.sequence;
    after = stretch.last;
    fileCount += stretch.file_count;
    receiptCount += stretch.receipt_count;
    files.push(stretch.files);
    receipts.push(stretch.receipts);
    bytes += stretch.files.length + stretch.receipts.length;
    if (bytes > limits.manifestBytes) throw tooLong(id);
    hasher.add(stretch.facts);
    if (stretch.file_count < filesPerStretch) break;
  }
  return {
    sequence,
    file_count: fileCount,
    files,
    receipt_count: receiptCount,
    receipts,
    files_digest: withDigest ? hasher.digest() : null,
  };
}

function tooLong(id: string): ArtifactstoreError {
  const limit = limits.manifestBytes;
  return new ArtifactstoreError(
    'too_many_files',
    `The manifest of package ${id} would be longer than ${limit} bytes, with all paths and annotations. Abandon the package, and ` +
      'put fewer files or shorter annotations into each.',
    { info: { bound: 'sealed_manifest_bytes', limit } },
  );
}
