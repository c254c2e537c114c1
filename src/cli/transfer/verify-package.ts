import { join, relative, resolve } from 'node:path';
import { requireDirectory } from '../../client/walk.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { parseId } from '../../kernel/id.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import { stopOnSignal } from '../../runtime/stop-signals.ts';
import { connect } from '../connect.ts';
import type { Context } from '../context.ts';
import { createProgress } from '../terminal/progress.ts';
import { checkDirectory } from './check-directory.ts';
import { checkStored } from './check-stored.ts';
import type { Finding } from './finding.ts';
import { archivedManifest, confirmDigest, foundManifest, givenManifest, type KnownManifest, readableManifest } from './known-manifest.ts';
import { reportVerification } from './verify-report.ts';

export interface VerifyOptions {
  readonly manifest?: string;
  readonly digest?: string;
  readonly jobs: number;
}

/** Checks a package: its manifest first, then the bytes of every file, on the server or in a directory. */
export async function verifyPackage(
  context: Context,
  packageId: string,
  directory: string | undefined,
  options: VerifyOptions,
): Promise<void> {
  const { output } = context;
  const root = directory === undefined ? undefined : resolve(context.directory, directory);
  parseId(packageId, 'package_id');
  if (options.manifest !== undefined && root === undefined)
    throw new ArtifactstoreError('invalid_value', 'With --manifest a directory is checked: name it after the package id.', {
      field: 'dir',
    });
  if (root !== undefined) requireDirectory(root);
  using stop = stopOnSignal();
  const registry = options.manifest === undefined ? connect(context, { patienceSeconds: 60 }) : undefined;
  try {
    const found =
      registry === undefined
        ? givenManifest(resolve(context.directory, options.manifest!), packageId)
        : await foundManifest(registry, packageId, root);
    const known = options.digest === undefined ? found : confirmDigest(found, options.digest);
    const { files } = known.manifest;
    const totalBytes = files.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
    const progress = await createProgress(output, 'verifying', totalBytes);
    const findings: Finding[] = [];
    const onFinding = (finding: Finding): void => void findings.push(finding);
    let leftFolders: readonly string[] = [];
    let interruption: unknown;
    try {
      if (root === undefined)
        await forEachLimited(files, options.jobs, async (file) => {
          stop.signal.throwIfAborted();
          const finding = await checkStored(registry!, file, stop.signal);
          if (finding !== undefined) onFinding(finding);
          progress.advance(file.size_bytes);
        });
      else
        leftFolders = await checkDirectory(root, files, {
          jobs: options.jobs,
          signal: stop.signal,
          own: ownManifests(root, known),
          onDone: (file) => progress.advance(file.size_bytes),
          onFinding,
        });
    } catch (error) {
      interruption = stop.signal.aborted ? stop.signal.reason : error;
    } finally {
      progress.stop();
    }
    findings.sort((left, right) => (left.relative_path < right.relative_path ? -1 : 1));
    const server = registry === undefined ? undefined : context.config.apiUrl;
    await reportVerification(output, { packageId, known, totalBytes, findings, leftFolders, server, interruption });
  } finally {
    await registry?.close();
  }
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
