/** A file of a list, as far as a tree shows it. */
export interface ListedFile {
  readonly relative_path: string;
  readonly size_bytes: number;
  readonly media_type: string;
  readonly digest_sha256: string;
  /** Its bytes are known to be damaged or missing. */
  readonly damaged?: true;
}

export interface Folder {
  readonly name: string;
  /** With a slash at its end; empty for the top. */
  readonly path: string;
  /** In the order of the list. */
  readonly entries: (Folder | ListedFile)[];
  readonly folders: Map<string, Folder>;
  /** In it and below. */
  files: number;
  bytes: number;
  /** Of its files. */
  damaged: number;
}

/** A line of the tree as it is shown. */
export interface Row {
  readonly depth: number;
  readonly name: string;
  readonly folder?: Folder;
  readonly file?: ListedFile;
}

export function isFolder(entry: Folder | ListedFile): entry is Folder {
  return 'entries' in entry;
}

export function emptyFolder(name = '', path = ''): Folder {
  return { name, path, entries: [], folders: new Map(), files: 0, bytes: 0, damaged: 0 };
}

/** Adds files below the top, in the order in which they come. */
export function addFiles(top: Folder, files: readonly ListedFile[]): void {
  for (const file of files) {
    const names = file.relative_path.split('/');
    let folder = top;
    for (let depth = 0; ; depth++) {
      folder.files += 1;
      folder.bytes += file.size_bytes;
      if (file.damaged === true) folder.damaged += 1;
      const name = names[depth]!;
      if (depth === names.length - 1) break;
      let next = folder.folders.get(name);
      if (next === undefined) {
        next = emptyFolder(name, `${folder.path}${name}/`);
        folder.folders.set(name, next);
        folder.entries.push(next);
      }
      folder = next;
    }
    folder.entries.push(file);
  }
}

/** The lines that are shown where some folders are open. A folder that has one folder and nothing else shows both. */
export function rowsOf(top: Folder, isOpen: (path: string) => boolean): readonly Row[] {
  const rows: Row[] = [];
  const visit = (folder: Folder, depth: number): void => {
    for (const entry of folder.entries) {
      if (!isFolder(entry)) {
        rows.push({ depth, name: lastOf(entry.relative_path), file: entry });
        continue;
      }
      let shown = entry;
      let name = entry.name;
      for (let only = onlyFolderOf(shown); only !== undefined; only = onlyFolderOf(shown)) {
        shown = only;
        name += `/${only.name}`;
      }
      rows.push({ depth, name, folder: shown });
      if (isOpen(shown.path)) visit(shown, depth + 1);
    }
  };
  visit(top, 0);
  return rows;
}

/** The files whose path has the text, whatever its case, with their whole paths. */
export function matchingRows(top: Folder, text: string): readonly Row[] {
  const wanted = text.toLowerCase();
  const rows: Row[] = [];
  const visit = (folder: Folder): void => {
    for (const entry of folder.entries)
      if (isFolder(entry)) visit(entry);
      else if (entry.relative_path.toLowerCase().includes(wanted)) rows.push({ depth: 0, name: entry.relative_path, file: entry });
  };
  visit(top);
  return rows;
}

/** The first files of a tree that are damaged or missing; folders without one are passed by. */
export function damagedFiles(top: Folder, most: number): readonly ListedFile[] {
  const found: ListedFile[] = [];
  const visit = (folder: Folder): void => {
    for (const entry of folder.entries) {
      if (found.length === most) return;
      if (!isFolder(entry)) {
        if (entry.damaged === true) found.push(entry);
      } else if (entry.damaged > 0) visit(entry);
    }
  };
  if (top.damaged > 0) visit(top);
  return found;
}

/** Where the line is to which this one belongs, or -1 at the top. */
export function parentOf(rows: readonly Row[], index: number): number {
  const depth = rows[index]?.depth ?? 0;
  for (let at = index - 1; at >= 0; at--) if (rows[at]!.depth < depth) return at;
  return -1;
}

function onlyFolderOf({ entries }: Folder): Folder | undefined {
  const [first] = entries;
  return entries.length === 1 && first !== undefined && isFolder(first) ? first : undefined;
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
