/**
 * Of names that browsers know differently or not at all, so that a folder has the types here that `push` gives it: most
 * of them have a preview.
 */
export const knownTypes: Readonly<Record<string, string>> = {
  conf: 'text/plain',
  csv: 'text/csv',
  html: 'text/html',
  ini: 'text/plain',
  js: 'text/javascript',
  json: 'application/json',
  log: 'text/plain',
  md: 'text/markdown',
  mjs: 'text/javascript',
  svg: 'image/svg+xml',
  tar: 'application/x-tar',
  toml: 'application/toml',
  tsv: 'text/tab-separated-values',
  txt: 'text/plain',
  xml: 'application/xml',
  yaml: 'text/yaml',
  yml: 'text/yaml',
  zip: 'application/zip',
};

/** `fromBrowser`: what the browser takes the file for; empty where it does not know. */
export function mediaTypeOf(path: string, fromBrowser: string): string {
  const ending = /[^/.][^/]*\.([^/.]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  const known = Object.hasOwn(knownTypes, ending) ? knownTypes[ending] : undefined;
  return known ?? (fromBrowser === '' ? 'application/octet-stream' : fromBrowser);
}
