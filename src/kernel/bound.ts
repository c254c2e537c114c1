import type { ErrorCode } from './error.ts';

/**
 * A limit as docs/limits.md, the metrics, the log and whoever met it know it. A refusal has its name in `info.bound`
 * and its value in `info.limit`.
 */
export interface Bound {
  /** Of the default configuration. */
  readonly value: number;
  readonly unit: 'bytes' | 'characters' | 'seconds' | '';
  /** The variable that changes it. */
  readonly variable?: string;
  /** How a request beyond it is answered; or its connection is reset or closed, or the answer has less. */
  readonly answer: ErrorCode | 'reset' | 'closed' | 'less';
  /** What it is about, for the page and the log. */
  readonly what: string;
}

export type Bounds<Name extends string> = Readonly<Record<Name, Bound>>;
