import type { Chosen } from './paths.ts';

/** What was dropped or chosen, with what of it could not be read. */
export interface Read {
  readonly files: readonly Chosen<File>[];
  /** Folders without a file: a package holds files alone. */
  readonly emptyFolders: number;
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

/** Of an `<input type="file">`, also of one for folders. */
export function readInput(chosen: FileList): Read {
  const files = [...chosen].map((file) => ({ file, path: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath }));
  return { files, emptyFolders: 0, unreadable: [] };
}

async function readEntries(
  entries: readonly FileSystemEntry[],
  before: readonly Chosen<File>[],
  onProgress: (files: number) => void,
): Promise<Read> {
  const files = [...before];
  const unreadable: { path: string; why: string }[] = [];
  let emptyFolders = 0;
  const waiting = [...entries].reverse();
  for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
    // It begins with a slash.
    const path = entry.fullPath.slice(1);
    try {
      if (entry.isDirectory) {
        const children = await childrenOf(entry as FileSystemDirectoryEntry);
        if (children.length === 0) emptyFolders += 1;
        for (const child of children.reverse()) waiting.push(child);
      } else {
        files.push({ file: await fileOf(entry as FileSystemFileEntry), path });
        if (files.length % 100 === 0) onProgress(files.length);
      }
    } catch (error) {
      unreadable.push({ path, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return { files, emptyFolders, unreadable };
}

/** A browser gives some at a time, and none at the end. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}
