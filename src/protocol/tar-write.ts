/** The tar format (POSIX pax) as it is written: the same bytes for the same entry, whoever asks. */

export interface TarEntry {
  readonly path: string;
  readonly sizeBytes: number;
  readonly executable: boolean;
  /** Whole seconds since 1970. */
  readonly mtime: number;
}

const blockBytes = 512;
/** What the size field holds in octal. */
const largestPlainSize = 8 ** 11 - 1;

/** What comes before an entry's bytes: its header, after a pax header where the path or the size does not fit that. */
export function tarEntryHead(entry: TarEntry): Uint8Array {
  const place = placeOf(entry.path);
  const records: string[] = [];
  if (place === undefined) records.push(paxRecord('path', entry.path));
  if (entry.sizeBytes > largestPlainSize) records.push(paxRecord('size', String(entry.sizeBytes)));
  const mode = entry.executable ? 0o755 : 0o644;
  const size = entry.sizeBytes > largestPlainSize ? 0 : entry.sizeBytes;
  const own = header({ name: place?.name ?? 'PaxHeader', prefix: place?.prefix ?? '', mode, size, mtime: entry.mtime, type: '0' });
  if (records.length === 0) return own;
  const text = Buffer.from(records.join(''));
  const pax = header({ name: 'PaxHeader', prefix: '', mode: 0o644, size: text.length, mtime: entry.mtime, type: 'x' });
  return Buffer.concat([pax, text, tarPadding(text.length), own]);
}

/** What fills the last block of an entry of so many bytes. */
export function tarPadding(sizeBytes: number): Uint8Array {
  return new Uint8Array((blockBytes - (sizeBytes % blockBytes)) % blockBytes);
}

/** What ends an archive. */
export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * blockBytes);
}

/** The path in the fields of a plain header, which are ASCII, 100 bytes after 155. */
function placeOf(path: string): { readonly name: string; readonly prefix: string } | undefined {
  if (/[^\x20-\x7e]/.test(path)) return undefined;
  if (path.length <= 100) return { name: path, prefix: '' };
  const slash = path.indexOf('/', path.length - 101);
  if (slash < 1 || slash > 155 || slash === path.length - 1) return undefined;
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
}

interface HeaderFields {
  readonly name: string;
  readonly prefix: string;
  readonly mode: number;
  readonly size: number;
  readonly mtime: number;
  readonly type: '0' | 'x';
}

function header({ name, prefix, mode, size, mtime, type }: HeaderFields): Buffer {
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, offset: number, digits: number) =>
    block.write(`${value.toString(8).padStart(digits, '0')}\0`, offset, 'latin1');
  block.write(name, 0, 'latin1');
  octal(mode, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(Math.max(0, mtime), 136, 11);
  block.write('        ', 148, 'latin1');
  block.write(type, 156, 'latin1');
  block.write('ustar\0' + '00', 257, 'latin1');
  octal(0, 329, 7);
  octal(0, 337, 7);
  block.write(prefix, 345, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** `length key=value\n`, whose length counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length > length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}
