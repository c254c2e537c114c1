import { constants } from 'node:fs';
import { stat } from 'node:fs/promises';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { formatTimestamp } from '../kernel/time.ts';
import { errnoCode, fileReason } from '../runtime/file-error.ts';
import { readAtMost } from '../runtime/read-at-most.ts';
import type { AccessFileStatus } from './IDENTITY.ts';

export interface WatchedFileOptions {
  readonly path: string;
  /** What is longer is not read. */
  readonly longest: number;
  /** Takes a version, or throws an `ArtifactstoreError` that says what is wrong with it: then the last one stays. */
  take(bytes: Uint8Array): void;
  /** Told once of each version that is not in force, and of a file that cannot be read. */
  onRefused(error: ArtifactstoreError): void;
  onTaken(status: AccessFileStatus): void;
  readonly pollMilliseconds: number;
}

export interface WatchedFile {
  status(): AccessFileStatus;
  /** Looks now; a change is taken once two looks find it the same. */
  look(): Promise<void>;
  /** Does not wait for a file system that does not answer: whatever comes of a look is dropped. */
  close(): void;
}

/**
 * A file whose newest good version is in force. It is looked at by its name, through all links, so that a rename over
 * it and the swapped links of a Kubernetes volume are changes like others. One that is being written is left until two
 * looks find it unchanged. Opening throws what `take` does, or `invalid_configuration` for a file that cannot be read.
 */
export async function watchFile(options: WatchedFileOptions): Promise<WatchedFile> {
  const { path, take, onRefused, onTaken } = options;
  const [first, bytes] = await inTime(path, async () => {
    const seen = await seenAt(path);
    return [seen, await readVersion(options, seen)] as const;
  });
  take(bytes);
  let status: AccessFileStatus = { path, loaded_at: formatTimestamp(Date.now()), refused: null };
  let inForce = first.print;
  /** The version that was refused last: it is not looked at again. */
  let judged: string | undefined;
  /** What was told last, so that it is told once. */
  let told: string | undefined;
  let before = first.print;
  /** Looks in a row that each found it changed. */
  let unsettled = 0;
  let isClosed = false;

  async function look(): Promise<void> {
    const seen = await seenAt(path);
    const isSettled = seen.print === before;
    before = seen.print;
    unsettled = isSettled ? 0 : unsettled + 1;
    if (seen.print === inForce) {
      judged = told = undefined;
      status = { ...status, refused: null };
    } else if (isSettled && seen.print !== judged) await judge(seen);
    else if (unsettled >= mostUnsettled)
      refuse(
        new ArtifactstoreError('invalid_configuration', `The access file "${path}" changes all the time: two looks must find it the same.`),
      );
  }

  function refuse(error: ArtifactstoreError): void {
    const [line = '', ...more] = error.message.split('\n').map((each) => each.trim());
    const some = [...more.slice(0, 3), ...(more.length > 3 ? ['…'] : [])].join('; ');
    status = { ...status, refused: some === '' ? line : `${line} ${some}` };
    if (isClosed || told === `${judged} ${error.message}`) return;
    told = `${judged} ${error.message}`;
    onRefused(error);
  }

  async function judge(seen: Seen): Promise<void> {
    try {
      const bytes = await readVersion(options, seen);
      if ((await seenAt(path)).print !== seen.print || isClosed) return;
      // What cannot be read now may be readable at the next look; what was read is as it is.
      judged = seen.print;
      take(bytes);
    } catch (error) {
      if (!isArtifactstoreError(error)) throw error;
      return refuse(error);
    }
    inForce = seen.print;
    judged = told = undefined;
    status = { path, loaded_at: formatTimestamp(Date.now()), refused: null };
    onTaken(status);
  }

  let looking: { readonly since: number; readonly done: Promise<void> } | undefined;
  let isSilent = false;
  const lookOnce = (): Promise<void> => {
    if (looking !== undefined) {
      if (!isSilent && performance.now() - looking.since > silentMilliseconds) {
        isSilent = true;
        // What is wrong with it is said again when it is seen again.
        judged = undefined;
        refuse(silent(path));
      }
      return looking.done;
    }
    isSilent = false;
    const done = look().finally(() => {
      looking = undefined;
    });
    looking = { since: performance.now(), done };
    return done;
  };
  const timer = setInterval(() => void lookOnce().catch(onUnexpected), options.pollMilliseconds).unref();
  const onUnexpected = (cause: unknown): void =>
    onRefused(new ArtifactstoreError('internal', `The access file "${path}" could not be looked at.`, { cause }));
  return {
    status: () => status,
    look: lookOnce,
    close() {
      isClosed = true;
      clearInterval(timer);
    },
  };
}

/** So long a look may take before it is told that nobody knows what the file says now. */
const silentMilliseconds = 5_000;
/** And at the start, where there is no version before. */
const startMilliseconds = 30_000;

function silent(path: string): ArtifactstoreError {
  return new ArtifactstoreError(
    'invalid_configuration',
    `The file system does not answer what the access file "${path}" is now; look at its disk or server.`,
    { field: 'ARTIFACTSTORE_ACCESS_CONFIG_PATH', info: { path } },
  );
}

async function inTime<T>(path: string, work: () => Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(silent(path)), startMilliseconds);
  try {
    return await Promise.race([work(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whoever writes it has ended long before; who writes it again and again has to be told. */
const mostUnsettled = 10;

/** What the name leads to: a mark that changes with every change, and why it cannot be read, where that is so. */
interface Seen {
  readonly print: string;
  readonly fault?: string;
  readonly cause?: unknown;
}

async function seenAt(path: string): Promise<Seen> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, mode } = await stat(path, { bigint: true });
    const print = [dev, ino, size, mtimeNs, ctimeNs, mode].join(' ');
    if ((Number(mode) & constants.S_IFMT) !== constants.S_IFREG) return { print, fault: 'it is no regular file' };
    if ((Number(mode) & 0o002) !== 0)
      return { print, fault: 'everybody on this machine may change it, and with it who may do what: run `chmod o-w` on it' };
    return { print };
  } catch (cause) {
    if (errnoCode(cause) === undefined) throw cause;
    return { print: fileReason(cause), fault: fileReason(cause), cause };
  }
}

async function readVersion({ path, longest }: WatchedFileOptions, { fault, cause }: Seen): Promise<Uint8Array> {
  const refuse = (why: string, error: unknown) =>
    new ArtifactstoreError('invalid_configuration', `The access file "${path}" cannot be used: ${why}.`, {
      field: 'ARTIFACTSTORE_ACCESS_CONFIG_PATH',
      info: { path },
      cause: error,
    });
  if (fault !== undefined) throw refuse(fault, cause);
  try {
    // Without the second flag the opening of a pipe that came in between would wait for a writer.
    return await readAtMost(path, longest, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoCode(error) === undefined) throw error;
    throw refuse(fileReason(error), error);
  }
}
