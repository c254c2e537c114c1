/** How a file is shown. What could act by itself (HTML, SVG as a page, scripts) is shown as its text. */
export type PreviewKind = 'text' | 'json' | 'markdown' | 'image' | 'pdf' | 'none';

const images: ReadonlySet<string> = new Set([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'image/avif',
  'image/bmp',
  'image/x-icon',
  'image/svg+xml',
]);

const texts = /^(text\/|application\/(.*\+)?(json|xml|yaml|toml|javascript|sql|x-sh|x-ndjson|graphql|x-httpd-php|typescript)\b)/;
const textEndings =
  /\.(txt|log|md|markdown|json|jsonl|ndjson|xml|yml|yaml|toml|csv|tsv|ini|cfg|conf|env|sh|py|js|ts|tsx|rs|go|c|h|java|sql|html|htm|css|svg|diff|patch)$/i;

/** By its media type, and by its name where that says nothing. */
export function previewKind(mediaType: string, path: string): PreviewKind {
  const type = mediaType.split(';', 1)[0]!.trim().toLowerCase();
  if (type === 'text/markdown' || /\.(md|markdown)$/i.test(path)) return 'markdown';
  if (images.has(type)) return 'image';
  if (type === 'application/pdf' || (type === 'application/octet-stream' && /\.pdf$/i.test(path))) return 'pdf';
  if (/^application\/(.*\+)?json$/.test(type) || /\.json$/i.test(path)) return 'json';
  if (texts.test(type)) return 'text';
  return type === 'application/octet-stream' && textEndings.test(path) ? 'text' : 'none';
}

/** The type under which a picture is given to the browser: never the producer's own words. */
export function imageType(mediaType: string): string {
  const type = mediaType.split(';', 1)[0]!.trim().toLowerCase();
  return images.has(type) ? type : 'application/octet-stream';
}
