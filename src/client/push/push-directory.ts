import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { ArtifactstoreError, type ErrorCode, isArtifactstoreError, withInfo } from '../../kernel/error.ts';
import { maximumFiles } from '../../kernel/manifest.ts';
import type { Created, NewPackage, Package } from '../../registry/REGISTRY.ts';
import { localFileError } from '../../runtime/file-error.ts';
import type { RemoteRegistry } from '../connect.ts';
import { openDigestIndex } from '../digest-index/digest-index.ts';
import { endOf, libraryNames, noSignal, type TransferOptions, usualJobs } from '../transfer-options.ts';
import { type Tree, walkTree } from '../tree/walk.ts';
import { fillPackage } from './fill-package.ts';
import { createHashing } from './hashing.ts';
import { knownUploads } from './known-uploads.ts';

const usualResumableAbove = 16_777_216;

export interface PushOptions extends TransferOptions {
  /** With the same key, a push that failed is resumed where it stopped. */
  readonly idempotencyKey?: string;
  /** What messages call the directory; its path where absent. */
  readonly shownDirectory?: string;
  /**
   * Where digests are kept between pushes, in a folder that this makes and that this user alone can use: a file that
   * the system says has not changed since is then not read again. Nothing is kept where absent.
   */
  readonly cacheDirectory?: string;
  /**
   * Files of more bytes are sent so that they are continued after a break, also by the next push with the same
   * `cacheDirectory`; 16 MiB where absent.
   */
  readonly resumableAbove?: number;
  /** Every file is read, whatever digests are kept. */
  readonly checksum?: boolean;
  /** Told of a file that was not read: an earlier push did, and it has not changed since. */
  onRemembered?(relativePath: string): void;
  /** Told of a file that was read and has other bytes than the digest that was kept for just this state of it. */
  onWrongDigest?(relativePath: string): void;
  /** Told of what is left out of the package. */
  onLeftOut?(text: string): void;
}

/** What a push made. Sizes are in bytes. */
export interface Pushed {
  readonly package_id: string;
  readonly manifest_digest: string;
  readonly file_count: number;
  readonly total_bytes: number;
  /** The rest was there already. */
  readonly uploaded_bytes: number;
}

/**
 * What is known of the package of a push that failed; `open` is one that a later push with its key resumes, or a
 * collection abandons.
 */
export type PackageLeft = (typeof leftWords)[number];

const leftWords = ['sealed', 'abandoned', 'open', 'unknown'] as const;

export function isPackageLeft(word: unknown): word is PackageLeft {
  return leftWords.some((each) => each === word);
}

/**
 * Sends a directory as a new package and seals it, when the package holds exactly what the directory does. Hidden and
 * empty files are files; links and what is no file are refused, empty directories left out. Bytes that the registry has
 * are not sent again, and with `cacheDirectory` files that have not changed are not read again. When it fails after the
 * package was made, its info says which one and what became of it: `package_id` and `package_left` (`PackageLeft`):
 * without an `idempotencyKey` the package is abandoned, with one it stays open. Errors: what the registry answers;
 * `package_empty` and `too_many_files`; `invalid_path` for what a package can't hold; `idempotency_conflict` when the
 * key is of another push; `precondition_failed` when somebody else changed the package meanwhile; `digest_mismatch`
 * when a file changed.
 */
export async function pushDirectory(
  registry: RemoteRegistry,
  directory: string,
  input: NewPackage,
  options: PushOptions = {},
): Promise<Pushed> {
  const { idempotencyKey, signal = noSignal(), jobs = usualJobs, names = libraryNames, onTotal, onDone } = options;
  const tree = readTree(directory, options);
  const { record, created } = await openPackage(registry, input, options);
  onTotal?.(tree.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  const keyed = idempotencyKey !== undefined;
  const index = options.cacheDirectory === undefined ? undefined : openDigestIndex(options.cacheDirectory, directory);
  const { checksum, onRemembered, onWrongDigest: onWrong } = options;
  const hashing = createHashing({ index, checksum, onRemembered, onWrong });
  const { cacheDirectory, resumableAbove: above = usualResumableAbove } = options;
  const known = cacheDirectory === undefined ? undefined : knownUploads(cacheDirectory, directory);
  const resumable = { above, add: registry.addResumable, known };
  const filling = {
    registry,
    record,
    created,
    tree,
    hashing,
    keyed,
    jobs,
    signal,
    resumable,
    names,
    onDone: (bytes: number) => onDone?.(bytes),
  };
  const { sealed, uploadedBytes } = await fillPackage(filling)
    .finally(() => index?.save())
    .catch(async (error: unknown) => {
      throw await giveUp(registry, record, keyed, endOf(signal, error));
    });
  const { package_id, manifest_digest, file_count, total_bytes } = sealed;
  return { package_id, manifest_digest, file_count, total_bytes, uploaded_bytes: uploadedBytes };
}

function readTree(directory: string, { shownDirectory = directory, onLeftOut }: PushOptions): Tree {
  const tree = walkTree(resolve(directory));
  for (const path of tree.draftFolders) onLeftOut?.(`"${path}" is left out: a pull that was stopped left it, or one is in progress`);
  if (tree.files.length === 0) throw new ArtifactstoreError('package_empty', `There is no file below "${shownDirectory}".`);
  if (tree.files.length > maximumFiles)
    throw new ArtifactstoreError(
      'too_many_files',
      `There are ${tree.files.length} files below "${shownDirectory}"; a package holds ${maximumFiles}.`,
    );
  for (const path of tree.emptyDirectories) onLeftOut?.(`the empty directory "${path}" is left out`);
  return tree;
}

/** With a key of its own even a request whose answer was lost makes one package only. */
async function openPackage(
  registry: RemoteRegistry,
  input: NewPackage,
  { idempotencyKey: key, names = libraryNames }: PushOptions,
): Promise<Created<Package>> {
  try {
    return await registry.packages.create(input, { idempotencyKey: key ?? randomUUID() });
  } catch (error) {
    if (!isArtifactstoreError(error, 'idempotency_conflict')) throw error;
    throw new ArtifactstoreError(
      error.code,
      `The key "${key}" was used for a push with another name, subject, ` +
        `retention class or other metadata, as package ${error.info?.package_id}.`,
      {
        field: names.idempotencyKey,
        info: { ...error.info, hint: `give the same ones again, or use a new ${names.idempotencyKey} for a new package` },
        cause: error,
      },
    );
  }
}

/**
 * Leaves no half-filled package behind, unless its key says that the push will be resumed. Answers the error with what
 * is left.
 */
async function giveUp(registry: RemoteRegistry, record: Package, keyed: boolean, thrown: unknown): Promise<unknown> {
  const error = localFileError(thrown, (thrown as NodeJS.ErrnoException).path ?? '', 'read');
  const code = isArtifactstoreError(error) ? error.code : 'internal';
  // The key's package can't become what this directory is.
  if (keyed && endedCodes.has(code)) return error;
  const package_left = await whatIsLeft(registry, record.id, keyed, code);
  return isArtifactstoreError(error) ? withInfo(error, { package_id: record.id, package_left }) : error;
}

const endedCodes: ReadonlySet<ErrorCode> = new Set(['idempotency_conflict', 'package_not_open', 'package_collected']);

async function whatIsLeft(registry: RemoteRegistry, id: string, keyed: boolean, code: ErrorCode): Promise<PackageLeft> {
  if (keyed) return 'open';
  // The answer to the sealing may be what was lost.
  if (code === 'server_unreachable') return 'unknown';
  try {
    await registry.packages.abandon(id);
    return 'abandoned';
  } catch {
    const found = await registry.packages.get(id).catch(() => undefined);
    return found === undefined ? 'unknown' : found.status === 'finalized' ? 'sealed' : 'open';
  }
}
