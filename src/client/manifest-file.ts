import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { blake3, toHex } from '../kernel/content/digest.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { encodeCbor } from '../kernel/format/cbor.ts';
import { canonicalJson, parseJson } from '../kernel/format/json.ts';
import { type Manifest, parseManifest } from '../kernel/manifest.ts';
import { errnoCode, localFileError } from '../runtime/file-error.ts';
import { refuseDatabase } from './refuse-database.ts';

export interface ReadManifest {
  readonly manifest: Manifest;
  /** `blake3:` over `bytes`. */
  readonly digest: string;
  /** Canonical CBOR. */
  readonly bytes: Uint8Array;
}

/**
 * A manifest as somebody else sent or saved it, checked before anybody acts on it. `name` is for the message. Throws
 * `integrity_failure`.
 */
export function readManifest(bytes: Uint8Array, name?: string): ReadManifest {
  return { manifest: parseManifest(bytes, name), bytes, digest: `blake3:${toHex(blake3(bytes))}` };
}

/**
 * Reads a saved manifest, as CBOR or as JSON: both are the same value, and have the same digest. `field` is what an
 * error of the operating system names as the wrong input.
 */
export function loadManifest(path: string, field?: string): ReadManifest {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw localFileError(cause, path, 'read', field === undefined ? {} : { field });
  }
  const text = withoutMark(bytes);
  const isJson = /^\s*\{/.test(Buffer.from(text.subarray(0, 16)).toString('latin1'));
  return readManifest(isJson ? jsonToCbor(path, text) : bytes, `"${path}"`);
}

/**
 * Saves it as JSON where the name ends so, in any case of its letters, else as CBOR. Where `nothing` is expected,
 * nothing is written over, whatever came there meanwhile; what is replaced stays whole until the new file is.
 * No database is replaced (`target_in_use`).
 */
export function saveManifest(path: string, { manifest, bytes }: ReadManifest, expected: 'nothing' | 'replaceable' = 'replaceable'): void {
  const content = /\.json$/i.test(path) ? `${canonicalJson(manifest)}\n` : bytes;
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    // A device, a pipe: `--output /dev/stdout`.
    if (there !== undefined && !there.isFile()) writeFileSync(path, content);
    else if (expected === 'nothing') writeNew(path, content);
    else {
      refuseDatabase(path);
      const draft = `${path}.${randomUUID()}`;
      writeNew(draft, content);
      renameSync(draft, path);
    }
  } catch (error) {
    if (errnoCode(error) === 'EEXIST')
      throw new ArtifactstoreError('path_conflict', `"${path}" was made by somebody else meanwhile; it is not changed.`, {
        cause: error,
      });
    if (errnoCode(error) === 'ENOENT')
      throw new ArtifactstoreError(
        'invalid_path',
        `The folder "${dirname(path)}" is not there, so "${basename(path)}" can't be saved in it.`,
        {
          cause: error,
        },
      );
    throw localFileError(error, path, 'written');
  }
}

/** All of it, or nothing. */
function writeNew(path: string, content: string | Uint8Array): void {
  try {
    writeFileSync(path, content, { flag: 'wx' });
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') rmSync(path, { force: true });
    throw error;
  }
}

/** Where the manifest of a pulled directory is kept: beside it, so that it is no part of what it describes. */
export function manifestBeside(directory: string): string {
  return `${directory}.manifest.cbor`;
}

/**
 * Editors and shells of Windows put a mark before UTF-8, or write UTF-16 with one. CBOR of a manifest never begins so.
 */
function withoutMark(bytes: Uint8Array): Uint8Array {
  const [first, second, third] = bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) return bytes.subarray(3);
  const encoding = first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : undefined;
  return encoding === undefined ? bytes : Buffer.from(new TextDecoder(encoding).decode(bytes));
}

function jsonToCbor(path: string, bytes: Uint8Array): Uint8Array {
  try {
    return encodeCbor(parseJson(bytes));
  } catch (cause) {
    throw new ArtifactstoreError('integrity_failure', `"${path}" is not a manifest: ${(cause as Error).message}`, { cause });
  }
}
