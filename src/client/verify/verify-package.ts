import { join, relative, resolve } from 'node:path';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { parseId } from '../../kernel/id.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import type { RemoteRegistry } from '../connect.ts';
import { endOf, libraryNames, noSignal, type TransferOptions, usualJobs } from '../transfer-options.ts';
import { requireDirectory } from '../tree/walk.ts';
import { checkDirectory } from './check-directory.ts';
import { checkStored } from './check-stored.ts';
import type { Finding } from './finding.ts';
import { archivedManifest, confirmDigest, foundManifest, givenManifest, type KnownManifest, readableManifest } from './known-manifest.ts';

export interface VerifyOptions extends TransferOptions {
  /** A directory that should hold the package's files; without it, the registry's bytes are read. */
  readonly directory?: string;
  /** A saved manifest, as CBOR or as JSON: with it and a directory no registry is asked. */
  readonly manifest?: string;
  /** The manifest must have this digest. */
  readonly digest?: string;
}

/** What a verification found. All is right when nothing was found and nothing interrupted it. Sizes are in bytes. */
export interface Verification {
  readonly packageId: string;
  readonly known: KnownManifest;
  readonly totalBytes: number;
  /** By path. */
  readonly findings: readonly Finding[];
  /** What pulls that were killed left in the directory. */
  readonly leftFolders: readonly string[];
  /** What ended the verification before all files were looked at. */
  readonly interruption: unknown;
}

/**
 * Checks a package: its manifest first, against the package's record and the log of events, then the bytes of every
 * file, in the registry or in a directory. What is wrong with a file is found, not thrown. `registry` may be absent
 * when a manifest and a directory are given. Errors: what the registry answers; `integrity_failure` for a manifest that
 * is not the package's, or not the one that was expected.
 */
export async function verifyPackage(
  registry: RemoteRegistry | undefined,
  packageId: string,
  options: VerifyOptions = {},
): Promise<Verification> {
  const { jobs = usualJobs, signal = noSignal(), names = libraryNames, digest, onTotal, onDone } = options;
  const root = options.directory === undefined ? undefined : resolve(options.directory);
  parseId(packageId, 'package_id');
  if (root !== undefined) requireDirectory(root);
  const found = await manifestOf(registry, packageId, root, options);
  const known = digest === undefined ? found : confirmDigest(found, digest, names);
  const { files } = known.manifest;
  const totalBytes = files.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  onTotal?.(totalBytes);
  const findings: Finding[] = [];
  const onFinding = (finding: Finding): void => void findings.push(finding);
  let leftFolders: readonly string[] = [];
  let interruption: unknown;
  try {
    if (root !== undefined)
      leftFolders = await checkDirectory(root, files, {
        jobs,
        signal,
        own: ownManifests(root, known),
        onDone: (file) => onDone?.(file.size_bytes),
        onFinding,
      });
    else if (registry !== undefined)
      await forEachLimited(files, jobs, async (file) => {
        signal.throwIfAborted();
        const finding = await checkStored(registry, file, signal);
        if (finding !== undefined) onFinding(finding);
        onDone?.(file.size_bytes);
      });
  } catch (error) {
    interruption = endOf(signal, error);
  }
  findings.sort((left, right) => (left.relative_path < right.relative_path ? -1 : 1));
  return { packageId, known, totalBytes, findings, leftFolders, interruption };
}

async function manifestOf(
  registry: RemoteRegistry | undefined,
  packageId: string,
  root: string | undefined,
  { manifest, names = libraryNames }: VerifyOptions,
): Promise<KnownManifest> {
  if (manifest !== undefined && root !== undefined) return givenManifest(resolve(manifest), packageId, names);
  if (manifest === undefined && registry !== undefined) return await foundManifest(registry, packageId, root);
  throw new ArtifactstoreError(
    'invalid_value',
    manifest === undefined
      ? 'A verification takes a registry, or a manifest and a directory.'
      : `With ${names.manifest} a directory is checked: name one.`,
    { field: names.directory },
  );
}

/**
 * Files of the directory that are this manifest: the one of an unpacked archive, and the one that was named. They are
 * no content.
 */
function ownManifests(root: string, { digest, path }: KnownManifest): ReadonlySet<string> {
  const own = new Set<string>();
  if (readableManifest(join(root, archivedManifest))?.digest === digest) own.add(archivedManifest);
  if (path !== null) own.add(relative(root, path).replaceAll('\\', '/'));
  return own;
}
