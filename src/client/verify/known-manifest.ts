import { lstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { errnoCode } from '../../runtime/file-error.ts';
import type { RemoteRegistry } from '../connect.ts';
import { loadManifest, manifestBeside, type ReadManifest } from '../manifest-file.ts';
import { sealedManifest } from '../sealed-manifest.ts';
import type { OptionNames } from '../transfer-options.ts';

/** The manifest that a verification goes by, and how far it is known to be the right one. */
export interface KnownManifest extends ReadManifest {
  /**
   * The server; a file that was named; the one that a pull saved beside the directory; the one inside an unpacked
   * archive.
   */
  readonly source: 'server' | 'given' | 'beside' | 'archive';
  /** Where it was read, unless it came from the server. */
  readonly path: string | null;
  /** Who says that it is the right one: the server's record and log, the digest that was given, both or nobody. */
  readonly confirmedBy: readonly ('server' | 'digest')[];
}

/** The name of the manifest in an archive of a package. */
export const archivedManifest = 'manifest.json';

/** The one in the file, when it is of the package. */
export function givenManifest(path: string, packageId: string, names: OptionNames): KnownManifest {
  return fromFile(loadManifest(path, names.manifest), path, packageId, 'given');
}

/**
 * The server's; or when no server answers, the one that was kept with the directory: beside it by a pull, or inside by
 * an archive. Without one, not reaching the server is the answer.
 */
export async function foundManifest(registry: RemoteRegistry, packageId: string, root: string | undefined): Promise<KnownManifest> {
  try {
    return { ...(await checkedManifest(registry, packageId)), source: 'server', path: null, confirmedBy: ['server'] };
  } catch (error) {
    if (root === undefined || !isArtifactstoreError(error, 'server_unreachable')) throw error;
    const beside = manifestBeside(root);
    if (statSync(beside, { throwIfNoEntry: false })?.isFile() === true) return fromFile(loadManifest(beside), beside, packageId, 'beside');
    const inside = join(root, archivedManifest);
    const archived = readableManifest(inside);
    if (archived !== undefined) return fromFile(archived, inside, packageId, 'archive');
    throw error;
  }
}

/** Holds a manifest to the digest that somebody was given. */
export function confirmDigest(known: KnownManifest, digest: string, names: OptionNames): KnownManifest {
  if (known.digest === digest) return { ...known, confirmedBy: [...known.confirmedBy, 'digest'] };
  const where = known.path === null ? "The server's manifest" : `The manifest "${known.path}"`;
  throw new ArtifactstoreError('integrity_failure', `${where} has the digest ${known.digest}, not ${digest}.`, {
    field: names.digest,
    info: {
      expected: digest,
      actual: known.digest,
      hint: 'it is not the manifest that the digest was given for: it was changed, or it is of another package; no file was looked at',
    },
  });
}

/**
 * A file that may be a manifest, and may be anything else of that name: a pipe, which would be waited for, or
 * terabytes.
 */
export function readableManifest(path: string): ReadManifest | undefined {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    return stat?.isFile() === true && stat.size <= maximumBytes ? loadManifest(path) : undefined;
  } catch (error) {
    if (isArtifactstoreError(error) || errnoCode(error) !== undefined) return undefined;
    throw error;
  }
}

/** More than the largest manifest with long paths has. */
const maximumBytes = 268_435_456;

function fromFile(read: ReadManifest, path: string, packageId: string, source: KnownManifest['source']): KnownManifest {
  if (read.manifest.package.id !== packageId)
    throw new ArtifactstoreError(
      'integrity_failure',
      `"${path}" is the manifest of package ${read.manifest.package.id}, not of ${packageId}.`,
    );
  return { ...read, source, path, confirmedBy: [] };
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
