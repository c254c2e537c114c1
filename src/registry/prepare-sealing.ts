import { createFilesHasher } from '../kernel/content/files-digest.ts';
import { filesPerStretch, type PreparedSealing, type ReadStretch, type SealingStretch } from './operations/sealing.ts';

/** Reads what a sealing needs of a package's files, in stretches between which others are served. */
export async function prepareSealing(
  read: (name: 'package.stretch', input: ReadStretch) => Promise<SealingStretch>,
  id: string,
  withDigest: boolean,
): Promise<PreparedSealing> {
  const hasher = createFilesHasher();
  const files: Uint8Array[] = [];
  const receipts: Uint8Array[] = [];
  let fileCount = 0;
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
