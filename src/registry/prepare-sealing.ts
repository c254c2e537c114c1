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
    const stretch: SealingStretch = await read('package.stretch', { id, after, withFacts: withDigest });
    sequence ??= stretch.sequence;
    after = stretch.last;
    fileCount += stretch.fileCount;
    receiptCount += stretch.receiptCount;
    files.push(stretch.files);
    receipts.push(stretch.receipts);
    hasher.add(stretch.facts);
    if (stretch.fileCount < filesPerStretch) break;
  }
  return { sequence, fileCount, files, receiptCount, receipts, filesDigest: withDigest ? hasher.digest() : null };
}
