import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { RemoteRegistry } from '../client/connect.ts';
import { forEachLimited } from '../client/limit.ts';
import { walkTree } from '../client/walk.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { parseId } from '../kernel/id.ts';
import type { ManifestFile } from '../kernel/manifest.ts';
import { connect } from './connect.ts';
import type { Context } from './context.ts';
import { loadManifest, type ReadManifest } from './manifest-file.ts';
import { createCheck } from './place.ts';
import { createProgress } from './progress.ts';
import { sealedManifest } from './sealed-manifest.ts';
import { countFiles, formatBytes } from './size.ts';
import { stopOnSignal } from './stop.ts';

export interface VerifyOptions {
  readonly manifest?: string;
  readonly jobs: number;
}

interface Finding {
  readonly relative_path: string;
  readonly problem: 'missing' | 'damaged' | 'unexpected';
  readonly detail: string;
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
  using stop = stopOnSignal();
  const registry = options.manifest === undefined ? connect(context, { patienceSeconds: 60 }) : undefined;
  try {
    const read =
      registry === undefined
        ? savedManifest(resolve(context.directory, options.manifest!), packageId)
        : await checkedManifest(registry, packageId);
    const { files } = read.manifest;
    const totalBytes = files.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
    const progress = await createProgress(output, 'verifying', totalBytes);
    const findings: Finding[] = [];
    const extras = root === undefined ? [] : unexpected(root, files);
    try {
      await forEachLimited(files, options.jobs, async (file) => {
        stop.signal.throwIfAborted();
        const finding = root === undefined ? await checkStored(registry!, file, stop.signal) : await checkLocal(root, file, stop.signal);
        if (finding !== undefined) findings.push(finding);
        progress.advance(file.size_bytes);
      });
    } catch (error) {
      throw stop.signal.aborted ? stop.signal.reason : error;
    } finally {
      progress.stop();
    }
    findings.push(...extras);
    findings.sort((left, right) => (left.relative_path < right.relative_path ? -1 : 1));
    await report(context, packageId, read, totalBytes, findings);
  } finally {
    await registry?.close();
  }
}

async function report(
  context: Context,
  packageId: string,
  read: ReadManifest,
  totalBytes: number,
  findings: readonly Finding[],
): Promise<void> {
  const { output } = context;
  const { files } = read.manifest;
  const ok = findings.length === 0;
  if (output.json)
    output.value({
      ok,
      package_id: packageId,
      manifest_digest: read.digest,
      file_count: files.length,
      total_bytes: totalBytes,
      problems: findings,
    });
  else if (ok) {
    output.line(`${output.colors.green('verified')} ${countFiles(files.length)}, ${formatBytes(totalBytes)}: every byte is right`);
    output.line(`  manifest ${read.digest}`);
  } else
    await output.table(
      ['PROBLEM', 'FILE', 'DETAIL'],
      findings.map(({ problem, relative_path, detail }) => [problem, relative_path, detail]),
    );
  if (ok) return;
  const wrong = findings.length === 1 ? 'One file is' : `${findings.length} files are`;
  throw new ArtifactstoreError('integrity_failure', `${wrong} not what the manifest of package ${packageId} says.`, {
    info: { package_id: packageId, problem_count: findings.length },
  });
}

function savedManifest(path: string, packageId: string): ReadManifest {
  const read = loadManifest(path);
  if (read.manifest.package.id !== packageId)
    throw new ArtifactstoreError(
      'integrity_failure',
      `"${path}" is the manifest of package ${read.manifest.package.id}, not of ${packageId}.`,
    );
  return read;
}

/** The manifest, when the package's record and the log of events know it by the same digest. */
async function checkedManifest(registry: RemoteRegistry, packageId: string): Promise<ReadManifest> {
  const [read, record, log] = await Promise.all([
    sealedManifest(registry, packageId),
    registry.packages.get(packageId),
    registry.events.page({ subject_kind: 'package', subject_id: packageId, event_type: 'v1.package.finalized' }),
  ]);
  for (const [where, digest] of [
    ['its record', record?.manifest_digest],
    ['the log of events', log.items[0]?.payload_digest],
  ] as const)
    if (digest !== read.digest)
      throw new ArtifactstoreError(
        'integrity_failure',
        `The manifest of package ${packageId} is ${read.digest}, but ${where} says ${digest ?? 'nothing'}.`,
      );
  return read;
}

async function checkStored(registry: RemoteRegistry, file: ManifestFile, signal: AbortSignal): Promise<Finding | undefined> {
  try {
    return finding(file, await readThrough(file, await registry.download(file, signal)));
  } catch (error) {
    if (isArtifactstoreError(error, 'integrity_failure') || isArtifactstoreError(error, 'object_not_found'))
      return finding(file, error.message);
    if (isArtifactstoreError(error, 'file_not_found') || isArtifactstoreError(error, 'package_collected'))
      return { relative_path: file.relative_path, problem: 'missing', detail: error.message };
    throw error;
  }
}

async function checkLocal(directory: string, file: ManifestFile, signal: AbortSignal): Promise<Finding | undefined> {
  const path = join(directory, ...file.relative_path.split('/'));
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: NodeJS.ErrnoException) => error);
  if (handle instanceof Error) {
    const { code = 'unknown', message } = handle;
    const problem = code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'damaged';
    return { relative_path: file.relative_path, problem, detail: problem === 'missing' ? 'there is no such file' : message };
  }
  try {
    if (!(await handle.stat()).isFile()) return finding(file, 'it is not a regular file');
    return finding(file, await readThrough(file, handle.createReadStream({ autoClose: false, highWaterMark: 1_048_576, signal })));
  } finally {
    await handle.close();
  }
}

async function readThrough(file: ManifestFile, body: AsyncIterable<Uint8Array>): Promise<string | undefined> {
  const check = createCheck(file);
  for await (const chunk of body) check.update(chunk);
  return check.fault();
}

function finding({ relative_path }: ManifestFile, detail: string | undefined): Finding | undefined {
  return detail === undefined ? undefined : { relative_path, problem: 'damaged', detail };
}

function unexpected(directory: string, files: readonly ManifestFile[]): readonly Finding[] {
  const known = new Set(files.map((file) => file.relative_path));
  return walkTree(directory)
    .files.filter((file) => !known.has(file.relativePath))
    .map(({ relativePath }) => ({ relative_path: relativePath, problem: 'unexpected', detail: 'the manifest does not name it' }));
}
