import { filesDigest } from '../../kernel/content/files-digest.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { Package } from '../../registry/REGISTRY.ts';
import type { Limit } from '../../runtime/limit.ts';
import type { RemoteRegistry } from '../connect.ts';
import type { KnownUploads } from '../resumable.ts';
import { copyExpiry, copyHolds } from './copy-retention.ts';
import { copyInput, copyKey, type Origin, originalsOf, originKey, originOf, originText, plainInput } from './origin.ts';
import { sendFiles } from './send-files.ts';
import type { Source } from './source.ts';
import { isMissing, isOfSource } from './source-error.ts';
import type { SourceManifest } from './source-records.ts';
import { endsRun } from './stops.ts';

/**
 * What became of a package of the source: `copied` now; `present` since an earlier run; `from_here`, a copy of one that
 * the target has; `gone` from the source meanwhile; `expired`, in both registries; or `failed`.
 */
export type CopyState = 'copied' | 'present' | 'from_here' | 'gone' | 'expired' | 'failed';

export interface PackageCopy {
  readonly state: CopyState;
  readonly original: Package;
  /** The package of the target; null where there is none. */
  readonly package_id: string | null;
  /** Why it failed; or, of a copy that is sealed, what of its retention could not be copied. */
  readonly faults: readonly ArtifactstoreError[];
}

export interface Copying {
  readonly source: Source;
  readonly target: RemoteRegistry;
  readonly requests: Limit;
  readonly signal: AbortSignal;
  readonly resumableAbove: number;
  readonly known: KnownUploads | undefined;
  /** Whether holds are copied, too. */
  readonly holds: boolean;
  /** Makes the schema of that slug known to the target, once for all packages that have it. */
  readonly bringSchema: (slug: string) => Promise<void>;
  onDone(bytes: number): void;
  onSent(bytes: number): void;
}

/**
 * Copies a sealed package, or finishes what an earlier run began. It is sealed only when it holds exactly the files of
 * the original, and one that is sealed already is compared with it. Throws what ends the whole run (see `endsRun`).
 */
export async function copyPackage(original: Package, copying: Copying): Promise<PackageCopy> {
  let copy: Package | undefined;
  const ended = (state: CopyState, faults: readonly ArtifactstoreError[] = []): PackageCopy => {
    return { state, original, package_id: copy?.id ?? null, faults };
  };
  try {
    const manifest = await copying.source.manifest(original);
    const origin = originOf(manifest, original);
    copy = await findCopy(original, origin, copying);
    if (copy === undefined && (await isFromHere(original, copying))) return ended('from_here');
    copy ??= await makeCopy(original, manifest, origin, copying);
    if (copy.status === 'garbage_collected') return ended('expired');
    const isSealed = copy.status === 'finalized';
    const faults = await (isSealed ? compareSealed : fill)(copy, original, manifest, copying);
    if (faults.length > 0) return ended('failed', faults);
    return ended(isSealed ? 'present' : 'copied', await copyRetention(original, copy, origin, copying));
  } catch (error) {
    if (!isArtifactstoreError(error) || endsRun(error)) throw error;
    const mayBeGone = isOfSource(error) && (isMissing(error) || error.code === 'package_not_finalized');
    if (!mayBeGone || (await isThere(original, copying))) return ended('failed', [error]);
    if (copy?.status === 'created') await copying.target.packages.abandon(copy.id).catch(() => undefined);
    return ended('gone');
  }
}

async function isThere({ id }: Package, { source }: Copying): Promise<boolean> {
  return (await source.package(id))?.status === 'finalized';
}

/** By what its metadata says of its origin; a sealed one first. */
async function findCopy({ producer }: Package, origin: Origin, { target }: Copying): Promise<Package | undefined> {
  const { items } = await target.packages.list({ producer, metadata: { [originKey]: originText(origin) }, limit: 100 });
  return items.find(({ status }) => status === 'finalized') ?? items.find(({ status }) => status === 'created');
}

/** Whether it is a copy of a package of the target. One that is the target's own shows that both are one registry. */
async function isFromHere(original: Package, { target, source }: Copying): Promise<boolean> {
  if ((await target.packages.get(original.id)) !== undefined)
    throw new ArtifactstoreError(
      'invalid_value',
      `Package ${original.id} of ${source.url} is in the registry that is to be copied to: both are the same one, or one was restored from the other.`,
      { field: 'source', info: { package_id: original.id, same_registry: true } },
    );
  for (const id of originalsOf(original)) if (isUuid.test(id) && (await target.packages.get(id)) !== undefined) return true;
  return false;
}

const isUuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The package that its key gives: a new one, or one of an earlier run that is not found by its metadata. Where that one
 * was ended, another is made; a collected one only while the original has not expired.
 */
async function makeCopy(original: Package, manifest: SourceManifest, origin: Origin, copying: Copying): Promise<Package> {
  const { metadata_schema_slug: slug } = original;
  if (typeof slug === 'string') await copying.bringSchema(slug);
  for (let attempt = 1; ; attempt++) {
    const made = await create(original, manifest, origin, attempt, copying);
    if (made.status === 'created' || made.status === 'finalized' || attempt === mostAttempts) return made;
    const { expires_at } = original;
    if (made.status === 'garbage_collected' && expires_at !== null && Date.parse(expires_at) <= Date.now()) return made;
  }
}

const mostAttempts = 1000;

async function create(original: Package, manifest: SourceManifest, origin: Origin, attempt: number, { target }: Copying): Promise<Package> {
  const idempotencyKey = copyKey(origin, attempt);
  try {
    return (await target.packages.create(copyInput(original, manifest, origin), { idempotencyKey })).record;
  } catch (error) {
    // Our two members may be what its schema, or the bound of members, does not take.
    if (!isArtifactstoreError(error, 'metadata_mismatch') && !isArtifactstoreError(error, 'invalid_value')) throw error;
    return (await target.packages.create(plainInput(original), { idempotencyKey })).record;
  }
}

/** Answers what is wrong with its files; then it is not sealed. */
async function fill(copy: Package, original: Package, { files }: SourceManifest, copying: Copying): Promise<readonly ArtifactstoreError[]> {
  const faults = await sendFiles(files, { ...copying, sourcePackageId: original.id, packageId: copy.id });
  if (faults.length === 0) await seal(copy, files, copying);
  return faults;
}

async function compareSealed(
  copy: Package,
  _original: Package,
  { files }: SourceManifest,
  copying: Copying,
): Promise<readonly ArtifactstoreError[]> {
  await seal(copy, files, copying);
  for (const { size_bytes } of files) copying.onDone(size_bytes);
  return [];
}

/** Only what is the same is sealed, or was. */
async function seal(copy: Package, files: SourceManifest['files'], { target }: Copying): Promise<void> {
  try {
    await target.packages.finalize(copy.id, { files_digest: filesDigest(files) });
  } catch (error) {
    if (!isArtifactstoreError(error, 'precondition_failed')) throw error;
    throw new ArtifactstoreError('integrity_failure', `Package ${copy.id} holds other files than the original.`, {
      info: { package_id: copy.id, hint: 'somebody else has added to it, or has made it; the copy is not changed' },
      cause: error,
    });
  }
}

async function copyRetention(original: Package, copy: Package, origin: Origin, copying: Copying): Promise<readonly ArtifactstoreError[]> {
  const { source, target, holds } = copying;
  const steps = [() => copyExpiry(target, original, copy, origin), ...(holds ? [() => copyHolds(source, target, copy.id, origin)] : [])];
  const faults: ArtifactstoreError[] = [];
  for (const step of steps)
    try {
      await step();
    } catch (error) {
      if (!isArtifactstoreError(error) || endsRun(error)) throw error;
      faults.push(error);
    }
  return faults;
}
