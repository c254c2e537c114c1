import { type Chosen, chosenOnce } from './paths.ts';
import { walk } from './walk.ts';

/** So many questions are asked of the browser at once: each is a way to another of its processes and back. */
const atOnce = 32;

/** What was dropped or chosen, with what of it could not be read. */
export interface Read {
  readonly files: readonly Chosen<File>[];
  /** Paths of folders without a file: a package holds files alone. */
  readonly emptyFolders: readonly string[];
  readonly unreadable: readonly { readonly path: string; readonly why: string }[];
}

/**
 * Files and whole folders of a drop. What the browser gives must be taken before the first wait: afterwards it is gone.
 */
export function readDrop(dropped: DataTransfer, onProgress: (files: number) => void): Promise<Read> {
  const entries: FileSystemEntry[] = [];
  const files: Chosen<File>[] = [];
  for (const item of dropped.items) {
    if (item.kind !== 'file') continue;
    const entry = item.webkitGetAsEntry();
    if (entry !== null) entries.push(entry);
    else {
      const file = item.getAsFile();
      if (file !== null) files.push({ file, path: file.name });
    }
  }
  return readEntries(entries, files, onProgress);
}

/** What was chosen before, and since. */
export function bothRead(before: Read, since: Read): Read {
  const unreadable = new Map([...before.unreadable, ...since.unreadable].map((each) => [each.path, each]));
  return {
    files: chosenOnce(before.files, since.files),
    emptyFolders: [...new Set([...before.emptyFolders, ...since.emptyFolders])],
    unreadable: [...unreadable.values()],
  };
}

/** Of an `<input type="file">`, also of one for folders. */
export function readInput(chosen: FileList): Read {
  const files = [...chosen].map((file) => ({ file, path: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath }));
  return { files: chosenOnce([], files), emptyFolders: [], unreadable: [] };
}

type Found = Chosen<File> | { readonly empty: string } | { readonly path: string; readonly why: string };

async function readEntries(
  entries: readonly FileSystemEntry[],
  before: readonly Chosen<File>[],
  onProgress: (files: number) => void,
): Promise<Read> {
  let count = before.length;
  const found = await walk<FileSystemEntry, Found>(
    entries,
    {
      open: (entry) => (entry.isDirectory ? childrenOf(entry as FileSystemDirectoryEntry) : undefined),
      async read(entry) {
        const file = await fileOf(entry as FileSystemFileEntry);
        count += 1;
        if (count % 100 === 0) onProgress(count);
        return { file, path: pathOf(entry) };
      },
      empty: (entry) => ({ empty: pathOf(entry) }),
      failed: (entry, error) => ({ path: pathOf(entry), why: error instanceof Error ? error.message : String(error) }),
    },
    atOnce,
  );
  return {
    files: chosenOnce(
      before,
      found.filter((each) => 'file' in each),
    ),
    emptyFolders: found.flatMap((each) => ('empty' in each ? [each.empty] : [])),
    unreadable: found.filter((each) => 'why' in each),
  };
}

/** It begins with a slash. */
function pathOf({ fullPath }: FileSystemEntry): string {
  return fullPath.slice(1);
}

/** A browser gives some at a time, and none at the end. */
function childrenOf(folder: FileSystemDirectoryEntry): () => Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  return () => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
