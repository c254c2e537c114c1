import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../registry/random.ts';

/** One file that is to become a file of a package, whoever is killed on its way. */
export interface Run {
  readonly url: string;
  readonly packageId: string;
  readonly path: string;
  readonly bytes: Buffer;
  readonly random: Random;
  /** Ends all runs when one has failed. */
  readonly signal: AbortSignal;
  readonly tally: Tally;
}

/** What happened to the clients of one file. */
export interface Tally {
  /** How many were killed or stopped. */
  killed: number;
  /** How many attempts began behind bytes that were there. */
  continued: number;
}

export const token = 'cli-test-token';
export const authorization: string = `Bearer ${token}`;

/** Sends the file until the server has said that it is there. Rejects where the server says what must not be. */
export type Wire = (run: Run) => Promise<void>;

/** Repeats `attempt` until it is true; what fails because a server is gone is no failure. */
export async function until(what: string, signal: AbortSignal, attempt: () => Promise<boolean>): Promise<void> {
  const ends = performance.now() + patienceMilliseconds;
  while (!(await attempt())) {
    signal.throwIfAborted();
    const late = (): string => `${what} was not there after ${patienceMilliseconds / 1000} seconds: ${answers.get(what)?.join(', ')}`;
    if (performance.now() >= ends) assert.fail(late());
    await sleep(150);
  }
  answers.delete(what);
}

/** What was answered of files that are not there yet, the last ones. */
const answers = new Map<string, string[]>();

/** Remembers an answer for the message of a file that does not come to its end. */
export function noteAnswer(path: string, answer: string): void {
  const noted = answers.get(path) ?? [];
  answers.set(path, [...noted.slice(-30), `${(performance.now() / 1000).toFixed(1)} ${answer}`]);
}

const patienceMilliseconds = 600_000;

/** What a client knows of an upload: its offset never goes back, and it is never gone. */
export function rememberOffset(path: string): (offset: number) => number {
  let acknowledged = 0;
  return (offset) => {
    assert.ok(offset >= acknowledged, `${path}: ${acknowledged} was acknowledged, and the upload is at ${offset}`);
    acknowledged = offset;
    return offset;
  };
}

/** Refusals that a client which is killed and comes again may hear; all others of the 400s are faults. */
export function requirePassing(path: string, status: number, text: string): void {
  assert.ok(status < 400 || status >= 500 || [408, 409, 423, 429].includes(status), `${path} was answered ${status} ${text}`);
}
