import { setImmediate as turn } from 'node:timers/promises';
import type { FileFacts } from '../../kernel/content/files-digest.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { Finalized, Package } from '../../registry/REGISTRY.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import type { RemoteRegistry } from '../connect.ts';
import { sealedManifest } from '../sealed-manifest.ts';
import type { OptionNames } from '../transfer-options.ts';
import { type Difference, describeDifference, differenceOf, packageFiles } from '../tree/difference.ts';
import { type FileContent, filesDigestOf } from '../tree/read-file.ts';
import type { Tree } from '../tree/walk.ts';
import { uploadFiles } from '../upload.ts';
import type { Resumable } from './continue-file.ts';
import type { Hashing } from './hashing.ts';

export interface Filling {
  readonly registry: RemoteRegistry;
  readonly record: Package;
  /** False when an earlier push, or another one at this moment, opened the package under the same key. */
  readonly created: boolean;
  readonly tree: Tree;
  readonly hashing: Hashing;
  /** Whether the package is found again by a key. */
  readonly keyed: boolean;
  readonly jobs: number;
  readonly signal: AbortSignal;
  readonly resumable?: Resumable;
  readonly names: Pick<OptionNames, 'idempotencyKey'>;
  onDone(bytes: number): void;
}

/**
 * Brings a directory into a package and seals it, when the package holds exactly what the directory does; else seals
 * nothing and says what differs. What is sealed already under this key is the answer when it is the same.
 */
export async function fillPackage(filling: Filling): Promise<{ readonly sealed: Finalized; readonly uploadedBytes: number }> {
  const { registry, record, created, tree, hashing, jobs, signal, resumable, onDone } = filling;
  /** What each file was when it was read. */
  const content = new Map<string, FileContent>();
  let uploadedBytes = 0;
  /** Of all files as they are remembered. */
  let rememberedDigest: string | undefined;
  /** Whether a file was read after all, and is not as it was remembered. */
  let isOther = false;
  if (record.status !== 'created') return { sealed: (await sealedAsRemembered()) ?? (await sealedEarlier(record)), uploadedBytes };
  try {
    const kept = created ? [] : await packageFiles(registry, record.id);
    if (kept.length > 0) refuseOthers(record, await compare(kept));
    const paths = new Set(kept.map((file) => file.relative_path));
    const uploading = uploadFiles(
      registry,
      record.id,
      tree.files.filter((file) => !paths.has(file.relativePath)),
      {
        jobs,
        signal,
        onDone,
        onSent: (bytes) => {
          uploadedBytes += bytes;
        },
        onHashed: remember,
        hashing,
        resumable,
      },
    );
    await Promise.all([uploading, digestBeside()]);
    return { sealed: await seal(), uploadedBytes };
  } catch (error) {
    if (signal.aborted || !overtakenCodes.some((code) => isArtifactstoreError(error, code))) throw error;
    // Somebody else added to the package, or ended it.
    const now = (await registry.packages.get(record.id)) ?? record;
    if (now.status !== 'created') return { sealed: await sealedEarlier(now), uploadedBytes };
    refuseOthers(now, await compare(await packageFiles(registry, record.id)));
    throw error;
  }

  async function seal(): Promise<Finalized> {
    const known = isOther ? undefined : rememberedDigest;
    return await registry.packages.finalize(record.id, { files_digest: known ?? filesDigestOf(content.values()) });
  }

  /** While the server is at work on the first requests, where no file has to be read. */
  async function digestBeside(): Promise<void> {
    await turn();
    const remembered = allRemembered();
    if (remembered !== undefined) rememberedDigest = filesDigestOf(remembered);
  }

  function allRemembered(): readonly FileContent[] | undefined {
    const remembered = tree.files.map((file) => hashing.remembered(file));
    return remembered.every((file) => file !== undefined) ? remembered : undefined;
  }

  async function sealedEarlier(found: Package): Promise<Finalized> {
    if (found.status !== 'finalized') throw ended(found);
    const difference = await compare((await sealedManifest(registry, found.id)).manifest.files);
    if (difference !== undefined) throw otherFiles(found, difference);
    return await seal();
  }

  /** Where no file has to be read, the digest of all of them says whether it is the same, without its manifest. */
  async function sealedAsRemembered(): Promise<Finalized | undefined> {
    if (record.status !== 'finalized') return undefined;
    const remembered = allRemembered();
    if (remembered === undefined) return undefined;
    try {
      const same = await registry.packages.finalize(record.id, { files_digest: filesDigestOf(remembered) });
      for (const { sizeBytes } of remembered) onDone(sizeBytes);
      return same;
    } catch (error) {
      if (isArtifactstoreError(error, 'precondition_failed')) return undefined;
      throw error;
    }
  }

  function remember({ relativePath, sizeBytes, executable, contentAddress }: FileContent): void {
    const before = content.get(relativePath);
    if (before !== undefined && before.contentAddress !== contentAddress) isOther = true;
    content.set(relativePath, { relativePath, sizeBytes, executable, contentAddress });
  }

  /** Only files that can be the same are looked at, and each once. */
  async function compare(kept: readonly FileFacts[]): Promise<Difference | undefined> {
    const sizes = new Map(kept.map((file) => [file.relative_path, file.size_bytes]));
    await forEachLimited(tree.files, jobs, async (file) => {
      if (content.has(file.relativePath) || sizes.get(file.relativePath) !== file.sizeBytes) return;
      remember(hashing.remembered(file) ?? (await hashing.read(file, signal)));
      onDone(file.sizeBytes);
    });
    return differenceOf(
      kept,
      tree.files.map((file) => content.get(file.relativePath) ?? { ...file, contentAddress: 'not read' }),
    );
  }

  /** While the package is open, files of the directory that it does not have are still on their way. */
  function refuseOthers(found: Package, difference: Difference | undefined): void {
    if (difference === undefined || difference.removed.length + difference.changed.length === 0) return;
    throw otherFiles(found, { ...difference, added: [] });
  }

  function otherFiles(found: Package, difference: Difference): ArtifactstoreError {
    const { summary, lines } = describeDifference(difference);
    const { added, removed, changed } = difference;
    const state = found.status === 'finalized' ? 'was sealed with' : 'is not sealed: it holds';
    return new ArtifactstoreError(
      filling.keyed ? 'idempotency_conflict' : 'precondition_failed',
      `Package ${found.id}${filling.keyed ? ' of this key' : ''} ${state} ` +
        `other files than the directory. In the directory: ${summary}.\n${lines}`,
      { info: { package_id: found.id, added, removed, changed, ...(filling.keyed ? { hint: newKey(filling) } : {}) } },
    );
  }

  function ended(found: Package): ArtifactstoreError {
    const collected = found.status === 'garbage_collected';
    return new ArtifactstoreError(
      collected ? 'package_collected' : 'package_not_open',
      `Package ${found.id}${filling.keyed ? ' of this key' : ''} was ${collected ? 'collected: it had expired' : 'abandoned'}.`,
      { info: { package_id: found.id, status: found.status, ...(filling.keyed ? { hint: newKey(filling) } : {}) } },
    );
  }
}

function newKey({ names }: Filling): string {
  return `use a new ${names.idempotencyKey} for a new package`;
}

/** What a push is told when the package is no longer what it was. */
const overtakenCodes = ['path_conflict', 'package_not_open', 'precondition_failed'] as const;
