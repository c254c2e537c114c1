import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseAddress } from '../../kernel/content/address.ts';
import { blake3, toHex } from '../../kernel/content/digest.ts';
import { parseRelativePath } from '../../kernel/content/path.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { decodeCbor, encodeCbor } from '../../kernel/format/cbor.ts';
import { canonicalJson, parseJson } from '../../kernel/format/json.ts';
import type { Manifest, ManifestFile } from '../../kernel/manifest.ts';
import { errnoCode, localFileError } from '../../runtime/file-error.ts';

export interface ReadManifest {
  readonly manifest: Manifest;
  /** `blake3:` over `bytes`. */
  readonly digest: string;
  /** Canonical CBOR. */
  readonly bytes: Uint8Array;
}

/**
 * A manifest as somebody else sent or saved it. What it says is checked before anybody acts on it: whose it is and who
 * sealed it; legal paths, each once; whole sizes; addresses. `name` is for the message. Throws `integrity_failure`.
 */
export function parseManifest(bytes: Uint8Array, name = 'The manifest'): ReadManifest {
  try {
    const manifest = checkHead(decodeCbor(bytes));
    const seen = new Set<string>();
    for (const file of manifest.files) {
      checkFile(file);
      if (seen.has(file.relative_path)) throw new Error(`it names "${file.relative_path}" twice`);
      seen.add(file.relative_path);
    }
    return { manifest, bytes, digest: `blake3:${toHex(blake3(bytes))}` };
  } catch (cause) {
    throw new ArtifactstoreError(
      'integrity_failure',
      `${name} can't be read as a manifest: ${(cause as Error).message.replace(/\.$/, '')}.`,
      { cause },
    );
  }
}

/** Reads a saved manifest, as CBOR or as JSON: both are the same value, and have the same digest. */
export function loadManifest(path: string): ReadManifest {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw localFileError(cause, path, 'read', { field: '--manifest' });
  }
  const text = withoutMark(bytes);
  const isJson = /^\s*\{/.test(Buffer.from(text.subarray(0, 16)).toString('latin1'));
  return parseManifest(isJson ? jsonToCbor(path, text) : bytes, `"${path}"`);
}

/**
 * Saves it as JSON where the name ends so, in any case of its letters, else as CBOR. Where `nothing` is expected,
 * nothing is written over, whatever came there meanwhile; what is replaced stays whole until the new file is.
 */
export function saveManifest(path: string, { manifest, bytes }: ReadManifest, expected: 'nothing' | 'replaceable' = 'replaceable'): void {
  const content = /\.json$/i.test(path) ? `${canonicalJson(manifest)}\n` : bytes;
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    // A device, a pipe: `--output /dev/stdout`.
    if (there !== undefined && !there.isFile()) writeFileSync(path, content);
    else if (expected === 'nothing') writeNew(path, content);
    else {
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

/** Whatever it is, nobody trips over what is not there. */
function checkHead(value: unknown): Manifest {
  const manifest = recordOf(value);
  if (manifest?.manifest_version === undefined) throw new Error('it has no manifest_version');
  if (manifest.manifest_version !== 1) throw new Error(`its version is ${String(manifest.manifest_version)}, and this software reads 1`);
  if (typeof recordOf(manifest.package)?.id !== 'string') throw new Error('it does not say which package it is of');
  const provenance = recordOf(manifest.provenance);
  for (const name of ['finalized_at', 'finalized_by', 'registry_id', 'software'])
    if (typeof provenance?.[name] !== 'string') throw new Error(`its provenance has no ${name}`);
  if (!Array.isArray(manifest.files)) throw new Error('it has no list of files');
  return manifest as unknown as Manifest;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
}

function checkFile(file: ManifestFile): void {
  if (typeof recordOf(file)?.relative_path !== 'string' || recordOf(file.annotations) === undefined)
    throw new Error('it lists something that is no file');
  parseRelativePath(file.relative_path);
  if (!Number.isSafeInteger(file.size_bytes) || file.size_bytes < 0)
    throw new Error(`the size of "${file.relative_path}" is no whole number`);
  if (parseAddress(file.content_address) !== `${file.digest_algorithm}:${file.digest_primary}`)
    throw new Error(`the digests of "${file.relative_path}" contradict each other`);
  parseAddress(`sha256:${file.digest_sha256}`);
}
