/** What is done about a refusal while a file is sent. */
export type AfterRefusal =
  /** The server or the way to it is unavailable: the same is asked again, later. */
  | 'wait'
  /** Somebody must sign in first. */
  | 'sign-in'
  /** The upload is not where it was thought to be: the server is asked where it is. */
  | 'ask'
  /** The upload is there no more: the file begins another. */
  | 'begin'
  /** It would be refused again: a person is told. */
  | 'tell';

/** Codes of answers that are about the moment, not about the file. */
const momentary: ReadonlySet<string> = new Set([
  'unreachable',
  'request_timeout',
  'too_busy',
  'database_unavailable',
  'storage_unavailable',
  'identity_unavailable',
  'clock_in_doubt',
  'cancelled',
  'upload_locked',
]);

/** By the code of a problem and the status of its answer. */
export function afterRefusal({ code, status }: { readonly code: string; readonly status: number }): AfterRefusal {
  if (status === 401) return 'sign-in';
  if (momentary.has(code)) return 'wait';
  if (code === 'upload_offset_mismatch') return 'ask';
  if (code === 'upload_not_found') return 'begin';
  // Of whatever is before the server: it has not said what became of the request.
  if (code === 'unexpected_answer' && status >= 500) return 'wait';
  return 'tell';
}

const firstWait = 500;
const longestWait = 15_000;

/** Milliseconds before the next attempt: longer each time, and not the same for all files. `random` is from 0 to 1. */
export function waitBefore(attempt: number, random: number): number {
  return Math.min(longestWait, firstWait * 1.7 ** Math.min(attempt, 20)) * (0.75 + random / 2);
}

/** In bytes. The longest is held in memory, once for each file on its way. */
const shortestPiece = 1_048_576;
const longestPiece = 16_777_216;

/** So long that a piece takes about a second: what is acknowledged is seen to grow, and no time is lost between. */
export function nextPiece(piece: number, milliseconds: number): number {
  if (milliseconds > 3_000) return Math.max(shortestPiece, piece / 2);
  return milliseconds < 800 ? Math.min(longestPiece, piece * 2) : piece;
}

export const firstPiece: number = 2 * shortestPiece;
