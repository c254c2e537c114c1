/** The first segments of the server's own routes: a path that begins with one would be ambiguous. */
const ownRoutes: ReadonlySet<string> = new Set([
  'docs',
  'events',
  'files',
  'health',
  'livez',
  'metadata-schemas',
  'metrics',
  'objects',
  'openapi.json',
  'packages',
  'readyz',
  'retention-classes',
  'uploads',
  'write-sessions',
]);

/** `/artifacts` from `/artifacts/`, empty from `/`; throws an Error that says what is wrong. */
export function parseBasePath(text: string): string {
  const path = text.replace(/\/+$/, '');
  if (path === '') return '';
  if (!/^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)+$/.test(path) || path.length > 256)
    throw new Error(`"${text}" is not a path such as /artifacts: a slash, then letters, digits, ".", "_", "~" or "-"`);
  const first = path.split('/')[1] ?? '';
  if (ownRoutes.has(first)) throw new Error(`"${text}" begins like a route of the server; choose another path`);
  return path;
}
