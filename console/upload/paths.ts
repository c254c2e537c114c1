/** Where files that were dropped or chosen will be in a package. */

/** A file of this computer, with where it was in what was chosen: `results/logs/a.txt`. */
export interface Chosen<F> {
  readonly file: F;
  readonly path: string;
  /** Files that were chosen for the same path and are as long: whether they are the same is seen when it is read. */
  readonly again?: readonly F[];
}

/** What was chosen before and since: what is there twice is one file. In the order in which they were chosen first. */
export function chosenOnce<F extends { readonly size: number }>(
  before: readonly Chosen<F>[],
  since: readonly Chosen<F>[],
): readonly Chosen<F>[] {
  const found = new Map<string, Chosen<F>>();
  for (const each of [...before, ...since]) {
    const name = `${each.file.size} ${each.path}`;
    const first = found.get(name);
    const again = [...(first?.again ?? []), ...(first === undefined ? [] : [each.file]), ...(each.again ?? [])];
    found.set(name, again.length === 0 ? each : { ...(first ?? each), again });
  }
  return [...found.values()];
}

/** The one folder in which all of them are; undefined where there is none. */
export function topFolder(paths: readonly string[]): string | undefined {
  const first = paths[0]?.split('/', 1)[0];
  if (first === undefined) return undefined;
  return paths.every((path) => path.startsWith(`${first}/`)) ? first : undefined;
}

/** The path in the package. `below`: a folder of the package, with or without slashes around it. */
export function placed(path: string, { below, withoutTop }: { readonly below: string; readonly withoutTop: boolean }): string {
  const kept = withoutTop ? path.slice(path.indexOf('/') + 1) : path;
  const folder = below.trim().replace(/^\/+|\/+$/g, '');
  return folder === '' ? kept : `${folder}/${kept}`;
}

/**
 * A segment that a browser would take for a way up or along before the server sees it; undefined where there is none.
 * Whatever else is no path is refused by the server, in its words.
 */
export function wrongSegment(path: string): string | undefined {
  return path.split('/').find((segment) => segment === '' || segment === '.' || segment === '..');
}

/** For each path that is there more than once, where in the list it is. */
export function clashesOf(paths: readonly string[]): ReadonlyMap<string, readonly number[]> {
  const at = new Map<string, number[]>();
  paths.forEach((path, index) => {
    const found = at.get(path);
    if (found === undefined) at.set(path, [index]);
    else found.push(index);
  });
  return new Map([...at].filter(([, indexes]) => indexes.length > 1));
}
