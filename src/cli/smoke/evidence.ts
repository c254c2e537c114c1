import { createHash, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { localFileError } from '../../runtime/file-error.ts';
import { replaceFile } from '../../runtime/replace-file.ts';

/** A file that shows what was found. */
export interface EvidenceFile {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The folder of one run: no run writes into that of another. */
export interface EvidenceFolder {
  readonly path: string;
  writeJson(file: string, value: unknown): Promise<EvidenceFile>;
  writeText(file: string, text: string): Promise<EvidenceFile>;
}

/** Makes it. Errors: `local_file_failed`, and `invalid_configuration` where the place cannot be written to. */
export async function openEvidence(directory: string, started: Date): Promise<EvidenceFolder> {
  const time = started.toISOString().replace(/[-:]|\.\d+/g, '');
  const path = join(directory, `smoke-${time}-${randomBytes(2).toString('hex')}`);
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw localFileError(error, path, 'made', { field: '--evidence' });
  });
  async function write(file: string, text: string): Promise<EvidenceFile> {
    const bytes = Buffer.from(text);
    await replaceFile(join(path, file), [bytes], { mode: 0o644 }).catch((error: unknown) => {
      throw localFileError(error, join(path, file), 'written', { field: '--evidence' });
    });
    return { file, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  }
  return {
    path,
    writeJson: (file, value) => write(file, `${JSON.stringify(value, null, 2)}\n`),
    writeText: write,
  };
}
