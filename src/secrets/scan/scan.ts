import { createReadStream } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { fileReason } from '../../runtime/file-error.ts';
import { formsOf, type SecretForm, shortestSecret } from './forms.ts';
import { isLeftOut, secretShapes } from './shapes.ts';

export interface KnownValue {
  readonly name: string;
  readonly value: string;
}

/** A place where a secret is; nothing in it is of a value. */
export interface Leak {
  /** Below the directory, with `/`; its own name where a file was given instead of a directory. */
  readonly path: string;
  /** Of its first byte; in what was unpacked where the file is compressed. */
  readonly offset: number;
  /** The name of the value, or the shape that it has. */
  readonly secret: string;
  readonly form: SecretForm['form'] | 'shape';
}

export interface ScanReport {
  /** Never where there was no file to look at, or no value to look for: that says nothing. */
  readonly ok: boolean;
  /** How many values were looked for. */
  readonly searched: number;
  readonly files: number;
  readonly bytes: number;
  readonly leaks: readonly Leak[];
  /** There were more than are listed. */
  readonly more_leaks: boolean;
  /** What was not looked into, and why: nothing is said of it. */
  readonly not_looked_at: readonly { readonly path: string; readonly reason: string }[];
  /** Names of values that are too short to be looked for. */
  readonly too_short: readonly string[];
}

const mostLeaks = 1_000;
/** A text of a shape that goes over two chunks is found as long as it is no longer. */
const overlapBytes = 16_384;
const chunkBytes = 1_048_576;
/** As long as a file may be, and what a compressed one unpacks to. */
const longestFile = 1_099_511_627_776;
const packed = /\.(?:zip|7z|xz|zst|bz2|br|jar|rar)$/i;
/** How packed files begin, whatever their names are: of zip, 7-Zip, xz, Zstandard, bzip2 and RAR. */
const packedBeginnings = ['PK\x03\x04', '7z\xbc\xaf', '\xfd7zXZ', '\x28\xb5\x2f\xfd', 'BZh', 'Rar!'];
const gzipBeginning = '\x1f\x8b';

/**
 * Looks through every file below a directory for these values, in each of their forms, and for texts that have the form
 * of a secret. Follows no link. What cannot be read or unpacked is named, and the report is not `ok` then.
 */
export async function scanForSecrets(directory: string, known: readonly KnownValue[], signal?: AbortSignal): Promise<ScanReport> {
  const searched = known.filter(({ value }) => value.length >= shortestSecret);
  const needles = searched.flatMap(({ name, value }) => formsOf(value).map((form) => ({ name, ...form, text: latin(form.bytes) })));
  const leaks: Leak[] = [];
  const unseen: { path: string; reason: string }[] = [];
  let files = 0;
  let bytes = 0;

  async function look(path: string): Promise<void> {
    signal?.throwIfAborted();
    const full = join(directory, path);
    const named = path === '' ? basename(directory) : path;
    try {
      const seen = await lstat(full);
      if (seen.isDirectory()) {
        for (const name of (await readdir(full)).sort()) await look(path === '' ? name : `${path}/${name}`);
        return;
      }
      if (!seen.isFile())
        return void unseen.push({ path: named, reason: seen.isSymbolicLink() ? 'it is a link' : 'it is no regular file' });
      const beginning = await beginningOf(full);
      if (packed.test(named) || packedBeginnings.some((begins) => beginning.startsWith(begins)))
        return void unseen.push({ path: named, reason: 'it is packed in a form that is not read here' });
      await readThrough(named, full, beginning.startsWith(gzipBeginning) || /\.t?gz$/i.test(named));
      files += 1;
    } catch (error) {
      signal?.throwIfAborted();
      unseen.push({ path: path === '' ? '.' : path, reason: reasonOf(error) });
    }
  }

  async function readThrough(path: string, full: string, isGzip: boolean): Promise<void> {
    const raw = createReadStream(full, { highWaterMark: chunkBytes });
    const through = (body: AsyncIterable<Buffer>): Promise<void> => readChunks(path, body);
    if (isGzip) await pipeline(raw, createGunzip(), through);
    else await pipeline(raw, through);
  }

  async function readChunks(path: string, body: AsyncIterable<Buffer>): Promise<void> {
    const told = new Set<string>();
    let before = '';
    let offset = 0;
    for await (const chunk of body) {
      const text = before + latin(chunk);
      find(path, text, offset, told);
      const kept = Math.min(text.length, overlapBytes);
      before = text.slice(text.length - kept);
      offset += text.length - kept;
      bytes += chunk.length;
      if (offset > longestFile) throw new TooLong();
    }
  }

  /** Each place once, although chunks overlap. */
  function find(path: string, text: string, offset: number, told: Set<string>): void {
    const tell = (at: number, secret: string, form: Leak['form']): void => {
      const key = `${offset + at} ${secret} ${form}`;
      if (told.has(key) || leaks.length > mostLeaks) return;
      told.add(key);
      leaks.push({ path, offset: offset + at, secret, form });
    };
    for (const { name, form, text: needle } of needles)
      for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) tell(at, name, form);
    for (const { name, pattern } of secretShapes)
      for (const match of text.matchAll(pattern)) if (!isLeftOut(match[1] ?? '')) tell(match.index, name, 'shape');
  }

  await look('');
  return {
    ok: leaks.length === 0 && unseen.length === 0 && files > 0 && searched.length > 0,
    searched: searched.length,
    files,
    bytes,
    leaks: leaks.slice(0, mostLeaks),
    more_leaks: leaks.length > mostLeaks,
    not_looked_at: unseen,
    too_short: known.filter(({ value }) => value.length < shortestSecret).map(({ name }) => name),
  };
}

class TooLong extends Error {}

function reasonOf(error: unknown): string {
  if (error instanceof TooLong) return 'it is longer than is read here';
  if (error instanceof Error && String(Reflect.get(error, 'code')).startsWith('Z_')) return 'it is no whole gzip file';
  return fileReason(error);
}

async function beginningOf(path: string): Promise<string> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(6), 0, 6, 0);
  return latin(buffer.subarray(0, bytesRead));
}

/** One character for each byte, so that an index is an offset. */
function latin(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
