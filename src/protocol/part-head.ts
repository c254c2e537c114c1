/** The head of one part of a multipart/form-data body (RFC 7578), read so that nothing is guessed. */
export interface PartHead {
  /** Undefined for a field of text. */
  readonly filename: string | undefined;
  readonly name: string | undefined;
  /** By their names in lowercase; bytes beyond ASCII as UTF-8. */
  readonly fields: ReadonlyMap<string, string>;
}

/** The head, whose lines are the bytes before the empty line; or what is wrong with it, to follow "has". */
export function parsePartHead(lines: readonly Uint8Array[]): PartHead | { readonly fault: string } {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const text = decodeUtf8(line);
    if (text === undefined) return { fault: `a header that is not UTF-8 (${shown(line)})` };
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/s.exec(text);
    if (match === null || /[\r\n\0]/.test(text)) return { fault: `a header line that is malformed (${shown(line)})` };
    const name = match[1]!.toLowerCase();
    if (fields.has(name)) return { fault: `the header ${name} twice` };
    fields.set(name, match[2]!);
  }
  const disposition = fields.get('content-disposition');
  const parameters = disposition === undefined ? undefined : parseDisposition(disposition);
  if (parameters === undefined) return { fault: 'no header "Content-Disposition: form-data" that is well formed' };
  const extended = parameters.get('filename*');
  const filename = extended === undefined ? parameters.get('filename') : decodeExtended(extended);
  if (extended !== undefined && filename === undefined) return { fault: 'a filename* that is not UTF-8 in the form of RFC 8187' };
  return { filename, name: parameters.get('name'), fields };
}

/** Strictly: undefined for bytes that are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Bytes as people can read them, those beyond printable ASCII as escapes. */
export function shown(bytes: Uint8Array): string {
  const text = Array.from(bytes.subarray(0, 200), (byte) =>
    byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  );
  return text.join('');
}

/**
 * The parameters of a media type's or disposition's field by their names in lowercase, after its first word; undefined
 * when malformed or given twice.
 */
export function parseParameters(text: string): ReadonlyMap<string, string> | undefined {
  const parameters = new Map<string, string>();
  let rest = text;
  while (rest.trim() !== '') {
    const match = /^[ \t]*;[ \t]*([^\s;="]+)[ \t]*=[ \t]*(?:"((?:\\["\\]|[^"])*)"|([^\s;"]*))[ \t]*/.exec(rest);
    if (match === null) return undefined;
    const name = match[1]!.toLowerCase();
    if (parameters.has(name)) return undefined;
    parameters.set(name, match[2] === undefined ? match[3]! : match[2].replaceAll(/\\(["\\])/g, '$1'));
    rest = rest.slice(match[0].length);
  }
  return parameters;
}

function parseDisposition(text: string): ReadonlyMap<string, string> | undefined {
  const end = text.indexOf(';');
  const word = end < 0 ? text : text.slice(0, end);
  return word.trim().toLowerCase() === 'form-data' ? parseParameters(end < 0 ? '' : text.slice(end)) : undefined;
}

function decodeExtended(value: string): string | undefined {
  const match = /^utf-8'[^']*'(.*)$/is.exec(value);
  try {
    return match === null ? undefined : decodeURIComponent(match[1]!);
  } catch {
    return undefined;
  }
}
