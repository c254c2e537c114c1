import { memoryOfJson, parseLongJson } from '../../../http/body.ts';
import { httpBounds } from '../../../http/limits.ts';
import type { MemoryAccount } from '../../../http/memory.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../kernel/format/json.ts';

/** What the `manifest.json` of an archive says of the files that follow it. */
export interface ArchiveManifest {
  readonly files: ReadonlyMap<string, ListedFile>;
}

interface ListedFile {
  readonly media_type: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Lowercase hex. */
  readonly digest_sha256: string;
}

/** Keys are sorted in the canonical form, so it begins with this. */
const beginning = Buffer.from('{"files":[');

interface ManifestRoom {
  readonly maximumBytes: number;
  /** Whether nothing comes before it in the archive. */
  readonly first: boolean;
  /** Holds the bytes until the request is over. */
  readonly memory: MemoryAccount;
}

/** Text of a manifest for each of its values, at least; other texts are none. */
const bytesOfValue = 12;

/**
 * Reads a file named `manifest.json`. It is an archive's own when it is a sealed manifest; another is a file like any
 * other, whose bytes come back. Only what begins as a manifest does is taken into memory. Errors: `body_too_large` for
 * what begins so, comes first, and has more than `maximumBytes`.
 */
export async function readOwnManifest(
  content: AsyncIterable<Uint8Array>,
  sizeBytes: number,
  { maximumBytes, first, memory }: ManifestRoom,
): Promise<{ readonly manifest: ArchiveManifest } | { readonly content: AsyncIterable<Uint8Array> }> {
  const iterator = content[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let wanted = beginning.length;
  for (;;) {
    const next = length < wanted ? await iterator.next() : undefined;
    if (next !== undefined && next.done !== true) {
      chunks.push(next.value);
      length += next.value.length;
    } else if (next === undefined && wanted === beginning.length && beginsRight(chunks)) {
      if (sizeBytes > maximumBytes && first) throw tooLarge(maximumBytes);
      if (sizeBytes > maximumBytes) break;
      wanted = sizeBytes + 1;
      await memory.take(memoryOfJson * sizeBytes);
    } else break;
  }
  if (length !== sizeBytes || wanted <= length) return { content: followedBy(chunks, iterator) };
  const manifest = await readManifest(Buffer.concat(chunks), Math.ceil(sizeBytes / bytesOfValue));
  memory.give((memoryOfJson - 1) * length);
  return manifest === undefined ? { content: followedBy(chunks, iterator) } : { manifest };
}

function tooLarge(limit: number): ArtifactstoreError {
  const { variable } = httpBounds.manifest_bytes;
  return new ArtifactstoreError(
    'body_too_large',
    `The archive's manifest.json has more than ${limit} bytes, which is as much as is ` +
      `read here (a sixteenth of ${variable}). Leave it out, or put such a file by itself.`,
    { field: 'manifest.json', info: { bound: 'manifest_bytes', limit, variable } },
  );
}

function beginsRight(chunks: readonly Uint8Array[]): boolean {
  return Buffer.concat(chunks).subarray(0, beginning.length).equals(beginning);
}

async function* followedBy(chunks: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/** Undefined for bytes that are no sealed manifest. */
async function readManifest(bytes: Uint8Array, maximumValues: number): Promise<ArchiveManifest | undefined> {
  let value: JsonValue;
  try {
    value = await parseLongJson(bytes, { maximumValues });
  } catch {
    return undefined;
  }
  if (!isJsonObject(value) || !isJsonObject(value.provenance) || typeof value.provenance.registry_id !== 'string') return undefined;
  const { files, manifest_version } = value;
  if (!Array.isArray(files) || typeof manifest_version !== 'number') return undefined;
  if (manifest_version !== 1)
    throw new ArtifactstoreError(
      'malformed_archive',
      `The archive's manifest.json has version ${manifest_version}; this server reads version 1.`,
    );
  const listed = files.map(listedFile);
  if (listed.some((file) => file === undefined)) return undefined;
  return { files: new Map(listed.map((file) => file!)) };
}

function listedFile(value: JsonValue): readonly [string, ListedFile] | undefined {
  if (!isJsonObject(value)) return undefined;
  const { relative_path, media_type, annotations, digest_sha256 } = value as JsonObject;
  if (typeof relative_path !== 'string' || typeof media_type !== 'string' || typeof digest_sha256 !== 'string') return undefined;
  if (!/^[0-9a-f]{64}$/.test(digest_sha256) || !isJsonObject(annotations) || !isStringMap(annotations)) return undefined;
  return [relative_path, { media_type, annotations, digest_sha256 }];
}

function isStringMap(value: JsonObject): value is Record<string, string> {
  return Object.values(value).every((item) => typeof item === 'string');
}
