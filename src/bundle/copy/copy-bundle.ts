import { digestHex } from '../../kernel/content/digest.ts';
import type { RelativePath } from '../../kernel/content/path.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { throwIfStopped } from '../../runtime/stop.ts';
import { type LocalBundle, readArtifact } from '../local-bundle.ts';
import { type Artifact, type Bundle, formatBundle, titleOf } from '../manifest.ts';

/** A directory, on this machine or another, into which a bundle is installed. */
export interface CopyTarget {
  /** The SHA-256, in hex, of those of these files that are there. Links are not. */
  digestsOf(paths: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, string>>;
  /**
   * Installs one file in one step: it is hashed as it arrives, and gets its name, its mode and its owner only when its
   * digest is right. It is durable by then. Errors: `digest_mismatch`, `storage_full`, `storage_unavailable` and more.
   */
  put(file: NewFile, signal?: AbortSignal): Promise<void>;
  /** For messages. */
  readonly title: string;
}

export interface NewFile {
  /** A name, or one in the folder `sha256/`: no other place is ever written to. */
  readonly path: string;
  readonly sha256: string;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface CopyOptions {
  readonly signal?: AbortSignal;
  /** Told of each artifact that is there, with whether it had to be copied. */
  readonly onInstalled?: (artifact: Artifact, copied: boolean) => void;
}

/**
 * Installs a bundle that was checked: its artifacts by their digests, and then the manifest that names them, so that
 * nobody finds a manifest without its artifacts. What is there already, and right, is not copied again. Throws
 * `target_in_use` when the same release is there with other artifacts.
 */
export async function copyBundle({ bundle, directory }: LocalBundle, target: CopyTarget, options: CopyOptions = {}): Promise<void> {
  const { signal, onInstalled } = options;
  const manifest = formatBundle(installedBundle(bundle));
  const file = manifestName(bundle);
  const artifacts = [...new Map(bundle.artifacts.map((artifact) => [artifact.sha256, artifact])).values()];
  const there = await target.digestsOf([file, ...artifacts.map(placeOf)], signal);
  const sha256 = digestHex('sha256', manifest);
  const before = there.get(file);
  if (before !== undefined && before !== sha256 && bundle.release !== undefined)
    throw new ArtifactstoreError('target_in_use', `${titleOf(bundle)} is at ${target.title} already, with other artifacts.`, {
      info: { hint: 'give the release another name: one that was published never changes' },
    });
  for (const artifact of artifacts) {
    throwIfStopped(signal);
    const isThere = there.get(placeOf(artifact)) === artifact.sha256;
    if (!isThere)
      await target.put({ path: placeOf(artifact), sha256: artifact.sha256, body: readArtifact(directory, artifact, signal) }, signal);
    onInstalled?.(artifact, !isThere);
  }
  if (before !== sha256) await target.put({ path: file, sha256, body: once(manifest) }, signal);
}

/** The bundle with its artifacts where they are installed. */
export function installedBundle(bundle: Bundle): Bundle {
  return { ...bundle, artifacts: bundle.artifacts.map((artifact) => ({ ...artifact, path: placeOf(artifact) as RelativePath })) };
}

/** Names and releases have no `@`, so that no two bundles have one file. */
export function manifestName({ name, release }: Pick<Bundle, 'name' | 'release'>): string {
  return release === undefined ? `${name}.bundle.json` : `${name}@${release}.bundle.json`;
}

function placeOf({ sha256 }: Artifact): string {
  return `sha256/${sha256}`;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
