/**
 * What writing to a pipe fails with once its reader has left: the system's own codes, Node's for a stream that was
 * ended before, and libuv's `ECANCELED` for a write under way when Node closes the pipe of a process that has ended.
 */
const codes: ReadonlySet<string | undefined> = new Set([
  'EPIPE',
  'ECONNRESET',
  'ECANCELED',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** Whether writing failed because nobody reads any more, which is a reader's right. */
export function readerLeft(error: unknown): boolean {
  return error instanceof Error && codes.has((error as NodeJS.ErrnoException).code);
}
