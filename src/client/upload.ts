import { ArtifactstoreError, type ErrorCode, isArtifactstoreError } from '../kernel/error.ts';
import type { File, NewFile, Registry } from '../registry/REGISTRY.ts';
import { createLimit, forEachLimited } from '../runtime/limit.ts';
import { continueFile, type Resumable, type SentFile } from './push/continue-file.ts';
import { createHashing, type Hashing } from './push/hashing.ts';
import { changed, describeFile, type FileContent, fileBody, type HashedFile, smallFileBytes } from './tree/read-file.ts';
import type { TreeFile } from './tree/walk.ts';

export interface UploadOptions {
  /** How many requests and how many reads are under way at once. */
  readonly jobs: number;
  readonly signal: AbortSignal;
  /**
   * Told of bytes that go out or are in the package already: each file's size in the end, with less than none when some
   * go out again.
   */
  onDone(bytes: number): void;
  /** Told of bytes that had to be sent and have arrived. */
  onSent?(bytes: number): void;
  /** Told what each file is, and again of one that is read after all. */
  onHashed?(file: FileContent): void;
  /** Where digests come from; every file is read where absent. */
  readonly hashing?: Hashing;
  /** How files above a size are sent, so that they can be continued; as all others where absent. */
  readonly resumable?: Resumable | undefined;
}

/**
 * Brings the files into an open package and answers how many bytes had to be sent. Files are taken in windows: hashed,
 * attached where the registry has their bytes, sent where it does not, small ones together. Of files with the same new
 * bytes one is sent, and the others are attached after it. Memory is bounded by the windows under way.
 */
export async function uploadFiles(
  registry: Registry,
  packageId: string,
  files: readonly TreeFile[],
  { jobs, signal, onDone, onSent, onHashed, hashing = createHashing({}), resumable }: UploadOptions,
): Promise<number> {
  const reads = createLimit(Math.max(jobs, 4));
  const requests = createLimit(jobs);
  /** By content address: resolves when the file that brings these bytes was sent, or failed. */
  const settled = new Map<string, Promise<void>>();
  let uploaded = 0;

  const [remembered, unread] = divided(files, hashing);
  const sending = forEachLimited([...windows(remembered), ...windows(unread)], windowsAtOnce, async (window) => {
    const hashed = await Promise.all(window.map((file) => (isHashed(file) ? file : readNow(file))));
    for (const file of hashed) onHashed?.(file);
    signal.throwIfAborted();
    const missing = await requests.run(() => attach(hashed));
    const [firsts, twins] = claim(await Promise.all(missing.map((file) => (file.isRemembered ? readAfterAll(file) : file))));
    await Promise.all([sendFirsts(firsts), attachTwins(twins)]);
  });
  // A request that waits for a server or a store that is unavailable is not waited for.
  await Promise.race([sending, stopped(signal)]);
  signal.throwIfAborted();
  return uploaded;

  function readNow(file: TreeFile): Promise<HashedFile> {
    return reads.run(() => hashing.read(file, signal));
  }

  /** Bytes have to be sent: they are those that the file has now. */
  async function readAfterAll(file: HashedFile): Promise<HashedFile> {
    const hashed = await readNow(file);
    onHashed?.(hashed);
    return hashed;
  }

  /** Those whose bytes nobody sends yet, each with its promise made; and those whose bytes somebody does. */
  function claim(missing: readonly HashedFile[]): readonly [firsts: readonly First[], twins: readonly HashedFile[]] {
    const firsts: First[] = [];
    const twins: HashedFile[] = [];
    for (const file of missing) {
      if (settled.has(file.contentAddress)) twins.push(file);
      else {
        const { promise, resolve } = Promise.withResolvers<void>();
        settled.set(file.contentAddress, promise);
        firsts.push({ file, settle: resolve });
      }
    }
    return [firsts, twins];
  }

  async function sendFirsts(firsts: readonly First[]): Promise<void> {
    const settleOf = new Map(firsts.map(({ file, settle }) => [file, settle]));
    await send(
      firsts.map(({ file }) => file),
      (file) => settleOf.get(file)?.(),
    );
  }

  /**
   * Waits for whoever sends the same bytes, and sends what the registry still does not have: that one may have failed.
   */
  async function attachTwins(twins: readonly HashedFile[]): Promise<void> {
    if (twins.length === 0) return;
    await Promise.all(twins.map((file) => settled.get(file.contentAddress)));
    signal.throwIfAborted();
    await send(await requests.run(() => attach(twins)), () => undefined);
  }

  async function send(files: readonly HashedFile[], onSettled: (file: HashedFile) => void): Promise<void> {
    const small = files.filter(({ bytes }) => bytes !== undefined);
    const large = files.filter(({ bytes }) => bytes === undefined);
    await Promise.all([
      ...batches(small).map((batch) => requests.run(() => sendTogether(batch)).finally(() => batch.forEach(onSettled))),
      ...large.map((file) => requests.run(() => sendAlone(file)).finally(() => onSettled(file))),
    ]);
  }

  async function attach(window: readonly HashedFile[]): Promise<readonly HashedFile[]> {
    const answers = await registry.files.attach(
      packageId,
      window.map((file) => ({
        relative_path: file.relativePath,
        content_address: file.contentAddress,
        size_bytes: file.sizeBytes,
        ...describeFile(file),
      })),
      { records: false },
    );
    return window.filter((file, index) => {
      const { result, file: record } = answers[index]!;
      if (result === 'missing') return true;
      if (record !== undefined) finish(file, record);
      onDone(file.sizeBytes);
      return false;
    });
  }

  async function sendTogether(batch: readonly HashedFile[]): Promise<void> {
    signal.throwIfAborted();
    const [first] = batch;
    if (batch.length === 1 && first !== undefined) return await sendAlone(first);
    async function* parts(): AsyncIterable<NewFile> {
      for (const file of batch) yield newFile(file);
    }
    const added = await registry.files.addMany(packageId, parts());
    for (const [index, file] of batch.entries()) {
      finish(file, added[index]?.record);
      onDone(file.sizeBytes);
      arrived(file.sizeBytes);
    }
  }

  async function sendAlone(file: HashedFile): Promise<void> {
    signal.throwIfAborted();
    let shown = 0;
    const show = (bytes: number): void => {
      onDone(bytes - shown);
      shown = bytes;
    };
    try {
      const continued = resumable !== undefined && file.sizeBytes > resumable.above;
      const { record, sentBytes } = continued ? await continueFile(resumable, packageId, file, signal, show) : await addFile(file, show);
      finish(file, record);
      show(file.sizeBytes);
      arrived(sentBytes);
    } catch (error) {
      // The bytes that were sent are not those that were hashed.
      if (isArtifactstoreError(error) && otherBytes.has(error.code)) throw changed(file, error);
      throw error;
    }
  }

  async function addFile(file: HashedFile, show: (bytes: number) => void): Promise<SentFile> {
    const { record } = await registry.files.add(packageId, { ...newFile(file), body: fileBody(file, signal, show) });
    return { record, sentBytes: file.sizeBytes };
  }

  function arrived(bytes: number): void {
    uploaded += bytes;
    onSent?.(bytes);
  }

  function newFile(file: HashedFile): NewFile {
    return {
      relative_path: file.relativePath,
      body: fileBody(file, signal),
      size_bytes: file.sizeBytes,
      digests: file.digests,
      signal,
      ...describeFile(file),
    };
  }

  function finish(file: HashedFile, record: File | undefined): void {
    if (record === undefined || `sha256:${record.digest_sha256}` !== file.contentAddress || record.size_bytes !== file.sizeBytes)
      throw new ArtifactstoreError(
        'integrity_failure',
        `The server recorded other bytes for "${file.relativePath}" than those that were sent.`,
        {
          field: file.relativePath,
        },
      );
  }
}

interface First {
  readonly file: HashedFile;
  readonly settle: () => void;
}

const otherBytes: ReadonlySet<ErrorCode> = new Set(['digest_mismatch', 'block_digest_mismatch', 'length_mismatch']);

/** Resolves when the work is to be stopped. */
function stopped(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}

const windowsAtOnce = 3;
const windowFiles = 1000;
const windowBytes = 16_777_216;
const batchFiles = 256;
const batchBytes = 4_194_304;

/**
 * Those whose digests are remembered, and the others. The first are in the order of their digests: a registry finds
 * objects by them, and those of one request then lie beside each other in its indexes.
 */
function divided(files: readonly TreeFile[], hashing: Hashing): readonly [remembered: readonly HashedFile[], unread: readonly TreeFile[]] {
  const remembered: HashedFile[] = [];
  const unread: TreeFile[] = [];
  for (const file of files) {
    const known = hashing.remembered(file);
    if (known === undefined) unread.push(file);
    else remembered.push(known);
  }
  remembered.sort((left, right) => (left.contentAddress < right.contentAddress ? -1 : 1));
  return [remembered, unread];
}

function isHashed(file: TreeFile | HashedFile): file is HashedFile {
  return 'contentAddress' in file;
}

/** Runs of files that can be hashed and kept in memory together. */
function* windows<T extends TreeFile>(files: readonly T[]): Iterable<readonly T[]> {
  yield* runs(files, windowFiles, windowBytes, ({ sizeBytes }) => (sizeBytes < smallFileBytes ? sizeBytes : 0));
}

function batches(files: readonly HashedFile[]): readonly (readonly HashedFile[])[] {
  return [...runs(files, batchFiles, batchBytes, ({ sizeBytes }) => sizeBytes)];
}

function* runs<T>(items: readonly T[], maximumItems: number, maximumBytes: number, bytesOf: (item: T) => number): Iterable<readonly T[]> {
  let run: T[] = [];
  let bytes = 0;
  for (const item of items) {
    if (run.length > 0 && (run.length >= maximumItems || bytes + bytesOf(item) > maximumBytes)) {
      yield run;
      run = [];
      bytes = 0;
    }
    run.push(item);
    bytes += bytesOf(item);
  }
  if (run.length > 0) yield run;
}
