import { type RefusalCode, refuse } from './refusal.ts';

/** What goes wrong, openly, with some or all requests. Everything named strikes the same requests. */
export interface Faults {
  /** Strikes only these operations; all by default. */
  readonly onlyOperations?: readonly string[];
  /** Strikes only requests for keys that end so; any by default. */
  readonly onlyKey?: string;
  /** Strikes each nth of them; each by default. */
  readonly failEvery?: number;
  /** Strikes with this probability, decided by a generator with a seed. */
  readonly failProbability?: number;
  readonly seed?: number;
  /** How often it strikes before it is over; without end by default. */
  readonly times?: number;
  /**
   * Answers without doing anything: 500 InternalError, 503 SlowDown, 409 ConditionalRequestConflict, 507
   * InsufficientStorage.
   */
  readonly status?: 409 | 500 | 503 | 507;
  /** Resets the connection without doing anything. */
  readonly resetConnection?: boolean;
  readonly delayMilliseconds?: number;
  /** Does nothing with a request before this has come about. */
  readonly holdUntil?: Promise<void>;
  /** How fast bodies are read and sent. */
  readonly slowBodyBytesPerSecond?: number;
  /** Does the work of this operation and closes the connection without an answer. */
  readonly dropAnswerAfter?: string;
  /** Writes of bytes are refused: 403 QuotaExceeded, or 507 where `status` says so. */
  readonly full?: boolean;
  /** Accepts requests and never answers. */
  readonly stopAnswering?: boolean;
  /** Sends the head and this much of a GetObject's body, then resets the connection. */
  readonly cutDownloadAfterBytes?: number;
}

/** What a request suffers. */
export type Strike = Faults;

export interface FaultPlan {
  /** What this request suffers; undefined when it is spared. */
  strike(operation: string, key?: string): Strike | undefined;
}

const writes: readonly string[] = [
  'PutObject',
  'CopyObject',
  'CreateMultipartUpload',
  'UploadPart',
  'UploadPartCopy',
  'CompleteMultipartUpload',
];

export function planFaults(faults: Faults | undefined): FaultPlan {
  if (faults === undefined) return { strike: () => undefined };
  const { onlyOperations, failEvery = 1, failProbability, times = Number.POSITIVE_INFINITY } = faults;
  const random = seeded(faults.seed ?? 1);
  let seen = 0;
  let struck = 0;
  return {
    strike(operation, key = '') {
      if (faults.onlyKey !== undefined && !key.endsWith(faults.onlyKey)) return undefined;
      if (onlyOperations !== undefined && !onlyOperations.includes(operation)) return undefined;
      if (onlyOperations === undefined && !concerns(faults, operation)) return undefined;
      seen += 1;
      if (struck >= times || seen % failEvery !== 0) return undefined;
      if (failProbability !== undefined && random() >= failProbability) return undefined;
      struck += 1;
      return faults;
    },
  };
}

/** The refusal that a strike is, if it is one. */
export function refusalOf(strike: Strike | undefined, operation: string): Error | undefined {
  if (strike === undefined) return undefined;
  if (strike.full === true) {
    if (!writes.includes(operation)) return undefined;
    return refuse(strike.status === 507 ? 'InsufficientStorage' : 'QuotaExceeded');
  }
  const silent =
    strike.resetConnection ??
    strike.delayMilliseconds ??
    strike.holdUntil ??
    strike.slowBodyBytesPerSecond ??
    strike.dropAnswerAfter ??
    strike.stopAnswering ??
    strike.cutDownloadAfterBytes;
  if (strike.status === undefined && silent !== undefined) return undefined;
  return refuse(codes[strike.status ?? 500]);
}

const codes: Readonly<Record<409 | 500 | 503 | 507, RefusalCode>> = {
  409: 'ConditionalRequestConflict',
  500: 'InternalError',
  503: 'SlowDown',
  507: 'InsufficientStorage',
};

/** A fault that is about one kind of request is neither counted nor used up by others. */
function concerns(faults: Faults, operation: string): boolean {
  if (faults.dropAnswerAfter !== undefined) return operation === faults.dropAnswerAfter;
  if (faults.cutDownloadAfterBytes !== undefined) return operation === 'GetObject';
  if (faults.full === true) return writes.includes(operation);
  return true;
}

/** Mulberry32: small, and the same on every machine. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
