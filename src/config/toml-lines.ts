/**
 * The line, from 1, on which an entry of a TOML document stands, by its path from the root: that of its key where it
 * has one, or else of the nearest that holds it. The document was parsed before; this only finds places in it.
 */
export function lineOfEntry(text: string, path: readonly string[]): number | undefined {
  let table: readonly string[] = [];
  let best: { readonly line: number; readonly depth: number } | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const header = /^\s*\[{1,2}([^\]]*)\]{1,2}\s*(?:#.*)?$/.exec(raw)?.[1];
    const key = header === undefined ? new RegExp(`^\\s*(${part}(?:\\s*\\.\\s*${part})*)\\s*=`).exec(raw)?.[1] : undefined;
    if (header !== undefined) table = partsOf(header);
    const here = header !== undefined ? table : key !== undefined ? [...table, ...partsOf(key)] : undefined;
    if (here === undefined) continue;
    const depth = here.findIndex((name, at) => name !== path[at]);
    // An entry that continues below the path names the path too: [retention_classes.a] for retention_classes.
    const shared = depth < 0 ? here.length : Math.min(depth, path.length);
    if (depth >= 0 && depth < path.length) continue;
    if (shared > (best?.depth ?? 0)) best = { line: index + 1, depth: Math.min(shared, path.length) };
  }
  return best?.line;
}

const part = `(?:[A-Za-z0-9_-]+|"(?:[^"\\\\]|\\\\.)*"|'[^']*')`;

function partsOf(dotted: string): readonly string[] {
  return [...dotted.matchAll(new RegExp(part, 'g'))].map(([one]) => (one.startsWith('"') || one.startsWith("'") ? one.slice(1, -1) : one));
}
