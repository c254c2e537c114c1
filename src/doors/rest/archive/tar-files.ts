import type { FastifyRequest } from 'fastify';
import { readChecked } from '../../../http/body.ts';
import { type ByteReader, createByteReader, pass, untilCut } from '../../../http/byte-reader.ts';
import { type Limits, manifestBytes, tarHeaderBytes } from '../../../http/limits.ts';
import type { MemoryAccount } from '../../../http/memory.ts';
import { fromHex } from '../../../kernel/content/digest.ts';
import { parseRelativePath } from '../../../kernel/content/path.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import { mediaTypeOf } from '../../../protocol/media-type.ts';
import { decodeUtf8, shown } from '../../../protocol/part-head.ts';
import { parsePaxRecords, parseTarHeader, type TarHeader } from '../../../protocol/tar-read.ts';
import { tarPadding } from '../../../protocol/tar-write.ts';
import type { NewFile } from '../../../registry/REGISTRY.ts';
import { tooManyFiles } from '../multipart.ts';
import { type ArchiveManifest, readOwnManifest } from './own-manifest.ts';

const blockBytes = 512;

/**
 * The files of a tar archive (POSIX pax, GNU or older), in order, each streamed as it arrives. Directories are ignored;
 * whatever is neither is refused. A file that somebody may execute is annotated so. The `manifest.json` that `/archive`
 * puts first is no file of the package: it says what the others are. The sequence ends only after the archive's own
 * end.
 */
export async function* readTarFiles(
  request: FastifyRequest,
  limits: Limits,
  signal: AbortSignal,
  memory: MemoryAccount,
): AsyncGenerator<NewFile, void, undefined> {
  const body = readChecked(request, limits);
  const reader = createByteReader(body);
  const seen = new Set<string>();
  let manifest: ArchiveManifest | undefined;
  try {
    for (let number = 1; ; number++) {
      const entry = await readEntry(reader, `entry ${number}`);
      if (entry === undefined) break;
      const { path, sizeBytes } = entry;
      const bytes = reader.stream(sizeBytes);
      if (entry.directory) {
        if (sizeBytes > 0) throw malformed(`has a directory with bytes, "${path}"`, path);
        continue;
      }
      let content: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => untilCut(bytes, cutShort) };
      if (path === 'manifest.json' && manifest === undefined) {
        const read = await readOwnManifest(content, sizeBytes, { maximumBytes: manifestBytes(limits), first: seen.size === 0, memory });
        if ('manifest' in read) {
          if (seen.size > 0) throw malformed(`has the "manifest.json" of an archive, which comes first or is left out`, path);
          manifest = read.manifest;
          await passPadding(reader, sizeBytes);
          continue;
        }
        content = read.content;
      }
      if (seen.size >= limits.filesPerRequest) throw tooManyFiles(limits);
      if (seen.has(path)) throw malformed(`has the file "${path}" twice`, path);
      seen.add(path);
      yield { relative_path: path, size_bytes: sizeBytes, body: content, signal, ...describe(entry, manifest) };
      // What the taker left of it passes before the next entry comes.
      if ((await pass(bytes)) === false) throw cutShort();
      await passPadding(reader, sizeBytes);
    }
    for await (const chunk of reader.rest()) if (chunk.some((byte) => byte !== 0)) throw malformed('has bytes after its end');
    if (seen.size === 0) throw malformed('holds no file');
    for (const path of manifest?.files.keys() ?? [])
      if (!seen.has(path)) throw malformed(`does not have the file "${path}", which its manifest.json names`, path);
  } finally {
    await body.return();
  }
}

interface Entry {
  readonly path: string;
  readonly directory: boolean;
  readonly executable: boolean;
  readonly sizeBytes: number;
}

/** The next file or directory, with what long names and pax headers before it say; undefined at the archive's end. */
async function readEntry(reader: ByteReader, where: string): Promise<Entry | undefined> {
  let longName: Uint8Array | undefined;
  let records: ReadonlyMap<string, string> = new Map();
  for (;;) {
    const block = await reader.take(blockBytes);
    refuseCompressed(block);
    if (block.length < blockBytes) throw cutShort();
    const header = parseTarHeader(block);
    if (header === 'end') {
      if ((await reader.take(blockBytes)).some((byte) => byte !== 0)) throw malformed('has a block of zeros before its end');
      return undefined;
    }
    if ('fault' in header) throw malformed(`has ${header.fault} (${where})`);
    if (header.type === 'L') longName = trimZeros(await readExtra(reader, header, where));
    else if (header.type === 'K') await readExtra(reader, header, where);
    else if (header.type === 'x' || header.type === 'g') {
      const read = parsePaxRecords(await readExtra(reader, header, where));
      if (read === undefined) throw malformed(`has a pax header that is malformed or not UTF-8 (${where})`);
      if (header.type === 'x') records = read;
      else refuseRecords(read, [...globalKeys, ...sparseKeys], where);
    } else return entryOf(header, longName, records, where);
  }
}

function entryOf(header: TarHeader, longName: Uint8Array | undefined, records: ReadonlyMap<string, string>, where: string): Entry {
  const told = longName === undefined ? header.path : decodeUtf8(longName);
  const path = records.get('path') ?? told;
  const name = records.get('path') ?? (longName === undefined ? header.shown : shown(longName));
  const what = `${where}, "${name}"`;
  if (path === undefined) throw malformed(`has a name that is not UTF-8 (${what})`, where);
  refuseRecords(records, sparseKeys, what);
  const kind = refusedTypes[header.type];
  if (kind !== undefined || (header.type !== '0' && header.type !== '5'))
    throw malformed(
      `has ${kind ?? `an entry of the unknown type "${shown(Buffer.from(header.type, 'latin1'))}"`}, which can't be kept (${what})`,
      name,
    );
  const size = records.get('size') ?? String(header.sizeBytes);
  if (!/^\d{1,16}$/.test(size) || !Number.isSafeInteger(Number(size))) throw malformed(`has a size that is malformed (${what})`, name);
  const directory = header.type === '5' || path.endsWith('/');
  // `tar -C directory -c .` writes every name so.
  const plain = path.replace(/^(?:\.\/+)+/, '').replace(directory ? /\/+$/ : /$^/, '');
  if (!(directory && (plain === '' || plain === '.'))) parseRelativePath(plain, name);
  return { path: plain, directory, executable: (header.mode & 0o111) !== 0, sizeBytes: Number(size) };
}

const refusedTypes: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a FIFO',
  S: 'a sparse file',
  M: 'a part of a file',
};
const globalKeys = ['path', 'size', 'linkpath'] as const;
const sparseKeys = ['GNU.sparse.', 'hdrcharset', 'SCHILY.realsize'] as const;

function refuseRecords(records: ReadonlyMap<string, string>, prefixes: readonly string[], where: string): void {
  for (const key of records.keys())
    if (prefixes.some((prefix) => key.startsWith(prefix))) throw malformed(`has the pax record "${key}", which can't be kept (${where})`);
}

async function readExtra(reader: ByteReader, { sizeBytes }: TarHeader, where: string): Promise<Uint8Array> {
  if (sizeBytes > tarHeaderBytes)
    throw new ArtifactstoreError('malformed_archive', `The tar archive has a name or pax header that is too long (${where}).`, {
      info: { bound: 'tar_header_bytes', limit: tarHeaderBytes },
    });
  const bytes = await reader.take(sizeBytes);
  if (bytes.length < sizeBytes) throw cutShort();
  await passPadding(reader, sizeBytes);
  return bytes;
}

async function passPadding(reader: ByteReader, sizeBytes: number): Promise<void> {
  const { length } = tarPadding(sizeBytes);
  if ((await reader.take(length)).length < length) throw cutShort();
}

function describe(
  { path, executable }: Entry,
  manifest: ArchiveManifest | undefined,
): Pick<NewFile, 'media_type' | 'annotations' | 'digests'> {
  const listed = manifest?.files.get(path);
  if (listed !== undefined)
    return {
      media_type: listed.media_type,
      annotations: listed.annotations,
      digests: new Map([['sha256', fromHex(listed.digest_sha256)!]]),
    };
  if (manifest !== undefined) throw malformed(`has the file "${path}", which its manifest.json does not name`, path);
  const media_type = mediaTypeOf(path);
  return { media_type, ...(executable ? { annotations: { mode: 'executable' } } : {}) };
}

function refuseCompressed(block: Uint8Array): void {
  const start = Buffer.from(block.subarray(0, 6)).toString('hex');
  const found = Object.entries(compressions).find(([magic]) => start.startsWith(magic));
  if (found !== undefined)
    throw new ArtifactstoreError('unsupported_media_type', `The archive is compressed with ${found[1]}; send the tar itself.`, {
      field: 'content-type',
    });
}

const compressions: Readonly<Record<string, string>> = { '1f8b': 'gzip', '425a68': 'bzip2', fd377a585a00: 'xz', '28b52ffd': 'zstd' };

function trimZeros(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function cutShort(): ArtifactstoreError {
  return malformed('is cut short');
}

function malformed(fault: string, field?: string): ArtifactstoreError {
  return new ArtifactstoreError('malformed_archive', `The tar archive ${fault}.`, field === undefined ? {} : { field });
}
