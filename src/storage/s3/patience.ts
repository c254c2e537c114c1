/**
 * How long a request with a body of so many bytes is waited for: in milliseconds, from its start to the head of the
 * answer.
 */
export type Patience = (bodyBytes: number) => number;

/** A body takes its time on a slow line, and that is no sign of a store that has stopped. */
export function createPatience(answerMilliseconds: number): Patience {
  return (bodyBytes) => answerMilliseconds + Math.ceil((bodyBytes / slowestBytesPerSecond) * 1000);
}

/** Of one request among several on the same line. */
const slowestBytesPerSecond = 262_144;
