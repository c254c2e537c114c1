import { readerLeft } from '../../runtime/reader-left.ts';

/**
 * Standard output or standard error. Its reader may leave, stop reading or be slow, its disk may be full: writing
 * never throws and never waits. A closed output ends the writing, never the work that a command does.
 */
export interface Outlet {
  write(text: string): void;
  /** Aborted when nothing more gets out: the reader has left, or writing failed. */
  readonly ended: AbortSignal;
  /** Why nothing gets out, when it is not that the reader left, which is a reader's right. */
  readonly failure: NodeJS.ErrnoException | undefined;
  /** The beginning of what a failure kept from getting out. */
  readonly lost: string;
  /** Resolves when the reader has taken nearly all that was written, or when it has ended. */
  ready(): Promise<void>;
  /** Set when the command was stopped: then a reader that does not read is not waited for. */
  hurried: boolean;
  /** Waits until all is out, or nothing was taken for so long; answers how many bytes nobody took. */
  settle(patienceMilliseconds: number): Promise<number>;
}

const outlets = new WeakMap<NodeJS.WriteStream, Outlet>();

/**
 * The outlet of a stream, which is always the same one. From the first call on, errors of the stream are its business.
 */
export function outletOf(stream: NodeJS.WriteStream): Outlet {
  let outlet = outlets.get(stream);
  if (outlet === undefined) {
    outlet = createOutlet(stream);
    outlets.set(stream, outlet);
  }
  return outlet;
}

/** Small, so that a slow reader is seen to read. */
const pieceBytes = 4096;
const piecesAtOnce = 4;
const littleBytes = 65_536;
const keptCharacters = 1000;

function createOutlet(stream: NodeJS.WriteStream): Outlet {
  const ended = new AbortController();
  let pieces: Uint8Array[] = [];
  let queuedBytes = 0;
  let handed = 0;
  let failure: NodeJS.ErrnoException | undefined;
  let lost = '';
  let waiting: (() => void)[] = [];

  function wake(): void {
    const woken = waiting;
    waiting = [];
    for (const each of woken) each();
  }

  function end(error: NodeJS.ErrnoException): void {
    if (ended.signal.aborted) return;
    // A terminal that was closed fails with EIO.
    if (!readerLeft(error) && !(error.code === 'EIO' && stream.isTTY)) failure = error;
    for (const piece of pieces) lose(piece.toString());
    pieces = [];
    queuedBytes = 0;
    ended.abort();
    wake();
  }

  function lose(text: string): void {
    if (failure !== undefined && lost.length < keptCharacters) lost = `${lost}${text}`.slice(0, keptCharacters);
  }

  /** A few pieces at a time: the stream joins what waits in it, and nobody could tell whether some of it is taken. */
  function pump(): void {
    for (let piece = pieces[handed]; piece !== undefined && handed < piecesAtOnce; piece = pieces[handed]) {
      const { length } = piece;
      handed += 1;
      stream.write(piece, (error) => {
        if (error) return end(error);
        if (ended.signal.aborted) return;
        pieces.shift();
        handed -= 1;
        queuedBytes -= length;
        wake();
        pump();
      });
    }
  }

  stream.on('error', end);
  return {
    ended: ended.signal,
    hurried: false,
    get failure() {
      return failure;
    },
    get lost() {
      return lost;
    },
    write(text) {
      if (ended.signal.aborted) return lose(text);
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
      queuedBytes += bytes.length;
      pump();
    },
    async ready() {
      while (queuedBytes > littleBytes) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    async settle(patienceMilliseconds) {
      while (queuedBytes > 0) {
        const before = queuedBytes;
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.push(resolve);
        const timer = setTimeout(resolve, patienceMilliseconds);
        await promise;
        clearTimeout(timer);
        if (queuedBytes === before) return queuedBytes;
      }
      return 0;
    },
  };
}
