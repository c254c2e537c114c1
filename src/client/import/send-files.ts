import { fromHex } from '../../kernel/content/digest.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { File, NewFile } from '../../registry/REGISTRY.ts';
import { allOf } from '../../runtime/all-of.ts';
import { forEachLimited, type Limit } from '../../runtime/limit.ts';
import type { RemoteRegistry } from '../connect.ts';
import type { KnownUploads } from '../resumable.ts';
import { bytesBody, reopenable } from '../wire/body.ts';
import type { Source } from './source.ts';
import { isOfSource } from './source-error.ts';
import type { SourceFile } from './source-records.ts';
import { verifiedBytes, verifyBytes } from './verified-bytes.ts';

export interface Sending {
  readonly source: Source;
  readonly target: RemoteRegistry;
  /** Of the source, and of the target. */
  readonly sourcePackageId: string;
  readonly packageId: string;
  /** Requests that bring bytes, of all packages together. */
  readonly requests: Limit;
  readonly signal: AbortSignal;
  /** Files of more bytes are sent so that they are continued after a break. */
  readonly resumableAbove: number;
  readonly known: KnownUploads | undefined;
  /** Told of bytes that are in the package now. */
  onDone(bytes: number): void;
  /** Told of bytes that had to be sent. */
  onSent(bytes: number): void;
}

/**
 * Brings files of a package of the source into an open one of the target, which is asked first for the bytes that it
 * has. A window of them at a time, so that memory is bounded by the requests under way. Answers what is wrong with
 * single files, whose bytes are not those that the source states; the others are brought. Everything else is thrown.
 */
export async function sendFiles(files: readonly SourceFile[], sending: Sending): Promise<readonly ArtifactstoreError[]> {
  const faults: ArtifactstoreError[] = [];
  for (const window of windowsOf(files)) {
    sending.signal.throwIfAborted();
    const missing = await attach(window, sending);
    const firsts = [...new Map(missing.toReversed().map((file) => [file.digest_sha256, file])).values()];
    faults.push(...(await sendAll(firsts, sending)));
    const twins = missing.filter((file) => !firsts.includes(file) && !faults.some(({ field }) => field === file.relative_path));
    const alone = twins.length === 0 ? [] : await attach(twins, sending);
    faults.push(...(await sendAll(alone, sending)));
  }
  return faults;
}

/** Those whose bytes the target does not have. */
async function attach(
  files: readonly SourceFile[],
  { target, packageId, requests, signal, onDone }: Sending,
): Promise<readonly SourceFile[]> {
  const items = files.map((file) => ({ ...described(file), content_address: `sha256:${file.digest_sha256}`, size_bytes: file.size_bytes }));
  const answers = await requests.run(() => target.files.attach(packageId, items, { records: false, signal }), signal);
  return files.filter((file, index) => {
    if (answers[index]?.result === 'missing') return true;
    onDone(file.size_bytes);
    return false;
  });
}

async function sendAll(files: readonly SourceFile[], sending: Sending): Promise<readonly ArtifactstoreError[]> {
  const { requests, signal } = sending;
  const faults: ArtifactstoreError[] = [];
  const alone = async (file: SourceFile): Promise<void> => {
    try {
      await requests.run(() => sendAlone(file, sending), signal);
    } catch (error) {
      if (!isArtifactstoreError(error, 'integrity_failure')) throw error;
      faults.push(error);
    }
  };
  const small = files.filter(({ size_bytes }) => size_bytes <= smallFileBytes);
  const large = files.filter(({ size_bytes }) => size_bytes > smallFileBytes);
  await allOf([
    ...batchesOf(small).map(async (batch) => faults.push(...(await requests.run(() => sendTogether(batch, sending), signal)))),
    ...large.map(alone),
  ]);
  return faults;
}

/** In one request each way, where the source knows how; all that are right, and what is wrong with the others. */
async function sendTogether(batch: readonly SourceFile[], sending: Sending): Promise<readonly ArtifactstoreError[]> {
  const { source, target, sourcePackageId, packageId, signal, onDone, onSent } = sending;
  const faults: ArtifactstoreError[] = [];
  const right = new Map<SourceFile, Uint8Array>();
  const downloaded = batch.length === 1 ? undefined : await source.many(sourcePackageId, batch, signal);
  await forEachLimited(batch.entries(), singlesAtOnce, async ([index, file]) => {
    try {
      const start = downloaded?.offsets[index];
      if (downloaded !== undefined && start !== undefined) {
        const bytes = new Uint8Array(downloaded.memory, start, file.size_bytes);
        try {
          verifyBytes(bytes, file);
          right.set(file, bytes);
          return;
        } catch (error) {
          // By itself it shows whether the file is wrong, or the answer that had many.
          if (!isArtifactstoreError(error, 'integrity_failure')) throw error;
        }
      }
      right.set(file, await readWhole(file, sending));
    } catch (error) {
      if (!isArtifactstoreError(error, 'integrity_failure')) throw error;
      faults.push(error);
    }
  });
  if (right.size === 0) return faults;
  async function* bodies(): AsyncIterable<NewFile> {
    for (const [file, bytes] of right) yield { ...newFile(file), body: bytesBody(bytes) };
  }
  const added = await target.files.addMany(packageId, bodies());
  for (const [index, file] of [...right.keys()].entries()) {
    compare(file, added[index]?.record);
    onDone(file.size_bytes);
    onSent(file.size_bytes);
  }
  return faults;
}

async function readWhole(file: SourceFile, { source, signal }: Sending): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(verifiedBytes(source.bytes(file, 0, signal), file)));
}

async function sendAlone(file: SourceFile, sending: Sending): Promise<void> {
  const { source, target, packageId, signal, resumableAbove, known, onDone, onSent } = sending;
  let earlier = file.size_bytes;
  const onOffset = (bytes: number): void => {
    earlier = Math.min(earlier, bytes);
  };
  // What is not read from its beginning cannot be compared here: the target does it before it makes a file of it.
  const from = (offset: number): AsyncIterable<Uint8Array> => {
    const body = source.bytes(file, offset, signal);
    return shielded(offset === 0 ? verifiedBytes(body, file) : body);
  };
  try {
    if (file.size_bytes <= resumableAbove) {
      compare(file, (await target.files.add(packageId, { ...newFile(file), body: reopenable(() => from(0)), signal })).record);
      onSent(file.size_bytes);
    } else {
      const { size_bytes, digest_sha256 } = file;
      const resumable = { ...described(file), size_bytes, content_address: `sha256:${digest_sha256}`, from };
      compare(file, (await target.addResumable(packageId, resumable, { known, signal, onOffset })).record);
      onSent(size_bytes - earlier);
    }
  } catch (error) {
    if (error instanceof BodyFailure) throw error.failure;
    throw isArtifactstoreError(error, 'digest_mismatch') && !isOfSource(error) ? otherBytes(file, error) : error;
  }
  onDone(file.size_bytes);
}

/** What the source failed with, as no error of the target that a request to it is repeated for. */
class BodyFailure extends Error {
  override readonly name = 'BodyFailure';
  readonly failure: unknown;
  constructor(failure: unknown) {
    super('The body can not be read.');
    this.failure = failure;
  }
}

async function* shielded(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw new BodyFailure(error);
  }
}

function described({ relative_path, media_type, annotations }: SourceFile) {
  return { relative_path, media_type, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) };
}

/** With both digests: knowing its own, a target need not keep the bytes before it sends them on. */
function newFile(file: SourceFile): Omit<NewFile, 'body'> {
  const stated = [
    ['sha256', fromHex(file.digest_sha256)],
    ['blake3', file.digest_algorithm === 'blake3' ? fromHex(file.digest_primary) : undefined],
  ] as const;
  const digests = new Map(stated.flatMap(([name, digest]) => (digest === undefined ? [] : [[name, digest] as const])));
  return { ...described(file), size_bytes: file.size_bytes, digests };
}

/** What the target has recorded is what the source states, by each digest that both know. */
function compare(file: SourceFile, record: File | undefined): void {
  const samePrimary = record?.digest_algorithm !== file.digest_algorithm || record.digest_primary === file.digest_primary;
  if (record?.digest_sha256 !== file.digest_sha256 || record.size_bytes !== file.size_bytes || !samePrimary) throw otherBytes(file);
}

function otherBytes({ relative_path, content_address }: SourceFile, cause?: unknown): ArtifactstoreError {
  return new ArtifactstoreError('integrity_failure', `The bytes that came for "${relative_path}" are not those of ${content_address}.`, {
    field: relative_path,
    info: { expected: content_address },
    ...(cause === undefined ? {} : { cause }),
  });
}

const smallFileBytes = 262_144;
const batchFiles = 256;
const batchBytes = 4_194_304;
const windowFiles = 1000;
/** Of what a request says of its files; a server takes 4 MiB. */
const windowText = 2_097_152;
/** For a source that gives files one by one, within a batch. */
const singlesAtOnce = 4;

function batchesOf(files: readonly SourceFile[]): readonly (readonly SourceFile[])[] {
  return [...runs(files, batchFiles, batchBytes, ({ size_bytes }) => size_bytes)];
}

function windowsOf(files: readonly SourceFile[]): Iterable<readonly SourceFile[]> {
  return runs(files, windowFiles, windowText, (file) => Buffer.byteLength(JSON.stringify(described(file))) + 160);
}

function* runs<T>(items: readonly T[], mostItems: number, most: number, weigh: (item: T) => number): Generator<readonly T[]> {
  let run: T[] = [];
  let weight = 0;
  for (const item of items) {
    if (run.length > 0 && (run.length >= mostItems || weight + weigh(item) > most)) {
      yield run;
      run = [];
      weight = 0;
    }
    run.push(item);
    weight += weigh(item);
  }
  if (run.length > 0) yield run;
}
