import { posix } from 'node:path';

/** One import of a source file, as written: by `import`, `export … from`, `import()` or `moduleUrl()`. */
export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** Of code without comments. */
export function importsOf(code: string): Import[] {
  const forms =
    /(?:^|;)\s*(?:import|export)\s+(?<type>type\b)?[^;'"=]*?\bfrom\s*['"](?<from>[^'"]+)['"]|(?:^|;)\s*import\s*['"](?<bare>[^'"]+)['"]|\b(?:import|moduleUrl)\(\s*['"](?<called>[^'"]+)['"]/gm;
  return [...code.matchAll(forms)].map(({ groups = {} }) => ({
    specifier: groups.from ?? groups.bare ?? groups.called ?? '',
    typeOnly: groups.type !== undefined,
  }));
}

/** Good enough for this code base: a `//` right after a colon is taken for a URL. */
export function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, '');
}

export function isRelative(each: Import): boolean {
  return each.specifier.startsWith('.');
}

/** The path that a relative import in the file `path` means. */
export function targetOf(path: string, each: Import): string {
  return posix.join(posix.dirname(path), each.specifier);
}
