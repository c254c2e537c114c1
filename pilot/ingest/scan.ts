import { readFile } from 'node:fs/promises';
import type { FileContent, HashedFile, Tree } from 'artifactstore';
import type { Library, Work } from '../tools.ts';

export interface Scan {
  readonly tree: Tree;
  /** What each file was when it was read, in path order: a sealed package must hold exactly this. */
  readonly files: readonly FileContent[];
  /**
   * SHA-256 over the canonical JSON of `[[path, size, "sha256:…", executable], …]`: equal for equal content, wherever
   * it stands.
   */
  readonly contentDigest: string;
}

/** Told of the bytes that were hashed, so that what is said of a directory is of the same bytes that are kept. */
export type Visit = (relativePath: string, bytes: () => Promise<Uint8Array>) => Promise<void>;

/** Reads every file below a directory once, in path order. */
export async function scan({ tools: { library, createProgress }, signal, context }: Work, directory: string, visit: Visit): Promise<Scan> {
  const tree = library.walkTree(directory);
  if (tree.files.length === 0) throw new library.ArtifactstoreError('package_empty', `There is no file below "${directory}".`);
  for (const path of tree.emptyDirectories) context.output.note(`warning: the empty directory "${path}" is left out`);
  const files: FileContent[] = [];
  const bytesOfAll = tree.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const progress = await createProgress(context.output, 'reading', bytesOfAll);
  try {
    for (const file of tree.files) {
      const hashed = await library.hashFile(file, signal);
      const { relativePath, sizeBytes, executable, contentAddress } = hashed;
      files.push({ relativePath, sizeBytes, executable, contentAddress });
      await visit(relativePath, async () => hashed.bytes ?? (await readAgain(library, hashed)));
      progress.advance(sizeBytes);
    }
  } finally {
    progress.stop();
  }
  const hasher = library.createHasher('sha256');
  const lines = files.map((file) => [file.relativePath, file.sizeBytes, file.contentAddress, file.executable]);
  hasher.update(Buffer.from(library.canonicalJson(lines)));
  return { tree, files, contentDigest: addressOf(hasher) };
}

/** A large file's bytes are not kept in memory: they are read again, and must be the same. */
async function readAgain(library: Library, file: HashedFile): Promise<Uint8Array> {
  const bytes = await readFile(file.path);
  const hasher = library.createHasher('sha256');
  hasher.update(bytes);
  if (addressOf(hasher) !== file.contentAddress)
    throw new library.ArtifactstoreError('digest_mismatch', `"${file.relativePath}" changed while it was being read.`, {
      field: file.relativePath,
      info: { hint: 'ingest again when nothing writes to the directory' },
    });
  return bytes;
}

function addressOf(hasher: ReturnType<Library['createHasher']>): string {
  return `sha256:${Buffer.from(hasher.digest()).toString('hex')}`;
}
