import { parsePaxRecords, parseTarHeader } from '../../protocol/tar-read.ts';
import { tarEnd, tarPadding } from '../../protocol/tar-write.ts';

const blockBytes = 512;

/**
 * Where the bytes of each of these files begin in a tar archive of just them, in this order; undefined for any other
 * archive, and for one that is cut short.
 */
export function offsetsInTar(
  archive: Uint8Array,
  files: readonly { readonly relative_path: string; readonly size_bytes: number }[],
): readonly number[] | undefined {
  const offsets: number[] = [];
  let at = 0;
  const header = (): ReturnType<typeof headerAt> => {
    const read = headerAt(archive, at);
    at += blockBytes;
    return read;
  };
  for (const { relative_path, size_bytes } of files) {
    let entry = header();
    let records: ReadonlyMap<string, string> | undefined = new Map();
    if (entry?.type === 'x') {
      records = parsePaxRecords(archive.subarray(at, at + entry.sizeBytes));
      at += entry.sizeBytes + tarPadding(entry.sizeBytes).length;
      entry = header();
    }
    if (entry === undefined || records === undefined || entry.type !== '0') return undefined;
    if ((records.get('path') ?? entry.path) !== relative_path || Number(records.get('size') ?? entry.sizeBytes) !== size_bytes)
      return undefined;
    offsets.push(at);
    at += size_bytes + tarPadding(size_bytes).length;
  }
  return at + tarEnd().length === archive.length ? offsets : undefined;
}

function headerAt(
  archive: Uint8Array,
  at: number,
): Exclude<ReturnType<typeof parseTarHeader>, 'end' | { readonly fault: string }> | undefined {
  if (at + blockBytes > archive.length) return undefined;
  const header = parseTarHeader(archive.subarray(at, at + blockBytes));
  return header === 'end' || 'fault' in header ? undefined : header;
}
