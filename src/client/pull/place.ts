import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRelativePath } from '../../kernel/content/path.ts';
import type { ArtifactstoreError } from '../../kernel/error.ts';
import type { ManifestFile } from '../../kernel/manifest.ts';
import { localFileError } from '../../runtime/file-error.ts';
import { createCheck, isExecutable } from '../tree/file-check.ts';
import { type PlaceThread, startPlaceThread } from './place-thread.ts';
import { type BytesOfFile, wrongBytes } from './placing.ts';

/**
 * Puts files of a package below a directory, and nowhere else, whatever the manifest says and whatever links stand
 * there.
 */
export interface Placer extends AsyncDisposable {
  /** Whether the right bytes stand at each file's place; sets executable bits right. */
  areThere(files: readonly ManifestFile[]): Promise<readonly boolean[]>;
  /**
   * Writes the bytes aside, checks both digests, and only then gives them the file's name. Throws `integrity_failure`.
   */
  place(file: ManifestFile, body: AsyncIterable<Uint8Array>, onBytes: (count: number) => void): Promise<void>;
  /**
   * The same for files whose bytes are in memory, which is given away. Answers how many of them, from the first on, got
   * their names, and what ended it.
   */
  placeMany(files: readonly BytesOfFile[], memory: ArrayBuffer): Promise<{ readonly placed: number; readonly error?: ArtifactstoreError }>;
}

/** `drafts` is an empty directory on the same file system. */
export function createPlacer(root: string, drafts: string): Placer {
  const threads: PlaceThread[] = [];
  let count = 0;

  const call: PlaceThread['call'] = async (request) => {
    let thread = threads.toSorted((left, right) => left.waiting - right.waiting)[0];
    if (thread === undefined || (thread.waiting > 0 && threads.length < threadCount)) {
      thread = startPlaceThread({ root, drafts, prefix: `${threads.length}-` });
      threads.push(thread);
    }
    return await thread.call(request);
  };

  async function ask(request: Parameters<typeof call>[0]): Promise<readonly boolean[]> {
    const { there, error } = await call(request);
    if (error !== undefined) throw error;
    return there;
  }

  /** Answers the path of the draft. */
  async function writeDraft(file: ManifestFile, body: AsyncIterable<Uint8Array>, onBytes: (count: number) => void): Promise<string> {
    const failed = (error: unknown): never => {
      throw localFileError(error, join(root, file.relative_path), 'written', { field: file.relative_path });
    };
    count += 1;
    const draft = join(drafts, String(count));
    const handle = await open(draft, 'wx', isExecutable(file) ? 0o777 : 0o666).catch(failed);
    try {
      const check = createCheck(file);
      for await (const chunk of body) {
        check.update(chunk);
        await handle.writeFile(chunk).catch(failed);
        onBytes(chunk.length);
      }
      const fault = check.fault();
      if (fault !== undefined) throw wrongBytes(file, fault);
    } catch (error) {
      await handle.close();
      await rm(draft, { force: true });
      throw error;
    }
    // Some file systems say only here that they are full.
    await handle.close().catch(failed);
    return draft;
  }

  return {
    areThere: (files) => ask({ kind: 'look', files: files.map(bare) }),

    async place(file, body, onBytes) {
      parseRelativePath(file.relative_path);
      await ask({ kind: 'enter', file: bare(file) });
      const draft = await writeDraft(file, body, onBytes);
      try {
        await ask({ kind: 'name', file: bare(file), draft });
      } catch (error) {
        await rm(draft, { force: true });
        throw error;
      }
    },

    placeMany: (files, memory) => call({ kind: 'place', files: files.map(({ file, offset }) => ({ file: bare(file), offset })), memory }),

    async [Symbol.asyncDispose]() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

/** Without the annotations that no thread asks for: those of one file can be longer than all the rest of a message. */
function bare(file: ManifestFile): ManifestFile {
  return { ...file, annotations: isExecutable(file) ? { mode: 'executable' } : {} };
}

/** Making a file is work of the system's on one core. */
const threadCount = 2;
