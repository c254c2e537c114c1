import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createHasher, toHex } from '../kernel/content/digest.ts';
import type { RelativePath } from '../kernel/content/path.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { localFileError } from '../runtime/file-error.ts';
import { forEachLimited } from '../runtime/limit.ts';
import { throwIfStopped } from '../runtime/stop.ts';
import type { Artifact, Bundle } from './manifest.ts';
import { openInside } from './open-inside.ts';
import { chunksOf } from './read-chunks.ts';
import { readManifest } from './read-manifest.ts';

/** A bundle with the directory that its artifacts are in. */
export interface LocalBundle {
  readonly bundle: Bundle;
  readonly directory: string;
  /** Its manifest, as it was named. */
  readonly file: string;
}

/** Reads the manifest at `path`, or `bundle.json` in it. Errors: those of `parseBundle`, and of files. */
export async function readLocalBundle(path: string): Promise<LocalBundle> {
  const seen = await stat(path).catch((error: unknown) => {
    throw localFileError(error, path, 'read');
  });
  const file = seen.isDirectory() ? join(path, 'bundle.json') : path;
  try {
    const { bundle } = await readManifest(dirname(file), basename(file) as RelativePath);
    return { bundle, directory: dirname(file), file };
  } catch (error) {
    if (!isArtifactstoreError(error, 'object_not_found')) throw error;
    throw new ArtifactstoreError('invalid_path', `There is no bundle.json in "${path}".`, {
      info: { hint: 'make one with `artifactstore bundle <dir> --name <name>`' },
      cause: error,
    });
  }
}

const readAtOnce = 4;

export interface CheckOptions {
  readonly signal?: AbortSignal;
  /** Told of each artifact that is right. */
  readonly onChecked?: (artifact: Artifact) => void;
}

/**
 * Reads every artifact of these bundles and compares it with what its manifest declares. Throws one `digest_mismatch`
 * for all that are wrong, missing or no regular files, and what the system says where that can't be known.
 */
export async function checkLocalBundles(bundles: readonly LocalBundle[], { signal, onChecked }: CheckOptions = {}): Promise<void> {
  const wrong: { readonly name: string; readonly problem: string }[] = [];
  const each = bundles.flatMap(({ bundle, directory }) => bundle.artifacts.map((artifact) => ({ artifact, directory })));
  await forEachLimited(each, readAtOnce, async ({ artifact, directory }) => {
    throwIfStopped(signal);
    const problem = await problemOf(directory, artifact, signal);
    if (problem === undefined) onChecked?.(artifact);
    else wrong.push({ name: artifact.name, problem });
  });
  if (wrong.length === 0) return;
  wrong.sort((a, b) => (a.name < b.name ? -1 : 1));
  const told = wrong.slice(0, mostTold).map(({ name, problem }) => `"${name}" ${problem}`);
  const more = wrong.length > mostTold ? `, and ${wrong.length - mostTold} more` : '';
  throw new ArtifactstoreError('digest_mismatch', `Artifacts are not what their manifest says: ${told.join('; ')}${more}.`, {
    info: { artifacts: wrong, hint: 'nothing was sent: build them again, or write the manifest of what was built' },
  });
}

const mostTold = 10;

async function problemOf(directory: string, artifact: Artifact, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    await using handle = await openInside(directory, artifact.path);
    const { size } = await handle.stat();
    if (size !== artifact.size_bytes) return `has ${size} bytes, not ${artifact.size_bytes}`;
    const hasher = createHasher('sha256');
    for await (const chunk of chunksOf(handle, 0, Number.POSITIVE_INFINITY)) {
      throwIfStopped(signal);
      hasher.update(chunk);
    }
    return toHex(hasher.digest()) === artifact.sha256 ? undefined : 'has another digest';
  } catch (error) {
    if (isArtifactstoreError(error, 'object_not_found')) return 'is not there';
    if (isArtifactstoreError(error, 'integrity_failure')) return 'is no regular file below the directory of the manifest';
    throw error;
  }
}

/**
 * The bytes of an artifact as they are now, from `offset` on: whoever takes them hashes them. A chunk is valid until
 * the next one. Throws `digest_mismatch` where they are more or fewer than the manifest says, and gives none too many.
 */
export async function* readArtifact(directory: string, artifact: Artifact, signal?: AbortSignal, offset = 0): AsyncGenerator<Uint8Array> {
  await using handle = await openInside(directory, artifact.path);
  let end = offset;
  for await (const chunk of chunksOf(handle, offset, Number.POSITIVE_INFINITY)) {
    throwIfStopped(signal);
    end += chunk.byteLength;
    if (end > artifact.size_bytes) throw changed(artifact, `it has more than ${artifact.size_bytes} bytes`);
    yield chunk;
  }
  if (end < artifact.size_bytes) throw changed(artifact, `it has ${end} bytes, not ${artifact.size_bytes}`);
}

function changed({ name }: Artifact, problem: string): ArtifactstoreError {
  return new ArtifactstoreError('digest_mismatch', `"${name}" changed since it was compared with its manifest: ${problem}.`, {
    info: { artifacts: [{ name, problem }], hint: 'build it again when nothing writes to it, or write the manifest of what was built' },
  });
}
