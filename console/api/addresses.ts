const hex = '[0-9a-f]{64}';
const names = 'sha-?256|blake3';

/** A text with more hashes names no one file. */
const mostAddresses = 4;

/**
 * The content addresses that a text can mean: `sha256:<hex>`, hex alone, as `sha256sum` prints it with a name behind
 * (`--tag`: before it), or base64, as HTTP (RFC 9530) and Subresource Integrity have it, also several; each also in
 * quotes, or as the line of a header. Base64 alone has its `=`: without it, it may be any word.
 */
export function addressesIn(text: string): readonly string[] {
  const plain = bare(text);
  const address =
    new RegExp(`^(${names})[:=-](${hex})$`, 'i').exec(plain) ?? new RegExp(`^(${names}) \\(.*\\) = (${hex})$`, 'is').exec(plain);
  if (address !== null) return [`${algorithm(address[1]!)}:${address[2]!.toLowerCase()}`];
  const alone =
    new RegExp(`^\\\\?(${hex})(?:\\s.*)?$`, 'is').exec(plain)?.[1]?.toLowerCase() ?? hexOf(/^[A-Za-z0-9+/_-]{43}=$/.exec(plain)?.[0]);
  if (alone !== undefined) return [`sha256:${alone}`, `blake3:${alone}`];
  return inHashes(plain);
}

/** Without the name of a header before it, and the quotes around it. */
function bare(text: string): string {
  const value = text.replace(/^(?:etag|(?:repr-|content-)?digest|integrity)[:=]\s*(?=\S)/i, '').trim();
  const quoted = /^(?:W\/)?(["'])(.*)\1$/s.exec(value)?.[2] ?? value;
  return quoted.trim();
}

/** Hashes of one file, beside each other; those of other algorithms are left out. None where a part is no hash. */
function inHashes(text: string): readonly string[] {
  const found = new Set<string>();
  for (const part of text.split(/[\s,]+/)) {
    const [, name, base64] = /^(sha-?(?:256|384|512))[-=]:?([A-Za-z0-9+/_-]+={0,2}):?(?:\?\S*)?$/i.exec(part) ?? [];
    if (name === undefined) return [];
    const digest = /^sha-?256$/i.test(name) ? hexOf(/^([A-Za-z0-9+/_-]{43})=?$/.exec(base64!)?.[1]) : undefined;
    if (digest !== undefined) found.add(`sha256:${digest}`);
  }
  return [...found].slice(0, mostAddresses);
}

function algorithm(name: string): string {
  return name.toLowerCase().replace('-', '');
}

/** Of 32 bytes in base64 or base64url. */
function hexOf(base64: string | undefined): string | undefined {
  if (base64 === undefined) return undefined;
  const bytes = atob(base64.replaceAll('-', '+').replaceAll('_', '/'));
  return [...bytes].map((character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}
