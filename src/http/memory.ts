import { ArtifactstoreError } from '../kernel/error.ts';
import { isAddress } from '../runtime/fair-turns.ts';
import { httpBounds, type Limits } from './limits.ts';

/**
 * Memory for bodies that are read whole, counted before it is used. Whoever finds none free waits for a bounded time,
 * and one principal has no more than half, so that it keeps nobody else from being heard.
 */
export interface Memory {
  open(principal: string): MemoryAccount;
}

/** What one request holds. */
export interface MemoryAccount {
  /**
   * Takes this much more, and waits for it at most `bufferedWait`, or so long. Errors: `too_busy` when it is not
   * available in time; `body_too_large` when it never can be.
   */
  take(bytes: number, milliseconds?: number): Promise<void>;
  /** Gives back so much, or all; nobody waits for what was given back all. */
  give(bytes?: number): void;
  /** What is held stays held while this works, also where the request is over before: it still uses it. */
  keep<T>(work: () => Promise<T>): Promise<T>;
}

interface Waiting {
  readonly principal: string;
  readonly bytes: number;
  readonly begin: () => void;
}

/** What memory is for, as a refusal says it. */
export interface MemoryUse {
  readonly bound: 'buffered_bytes' | 'manifests_bytes';
  readonly one: string;
  readonly all: string;
}

const bodies: MemoryUse = { bound: 'buffered_bytes', one: 'this body', all: 'All such bodies' };

export function createMemory(
  { bufferedBytes, bufferedWait }: Pick<Limits, 'bufferedBytes' | 'bufferedWait'>,
  use: MemoryUse = bodies,
): Memory {
  const ofOne = Math.floor(bufferedBytes / 2);
  const held = new Map<string, number>();
  const waiting = new Set<Waiting>();
  let all = 0;

  /** All addresses together have no more than somebody with a name. */
  const holders = (principal: string): readonly string[] => (isAddress(principal) ? [principal, 'address'] : [principal]);
  const fits = (principal: string, bytes: number): boolean =>
    all + bytes <= bufferedBytes && holders(principal).every((holder) => (held.get(holder) ?? 0) + bytes <= ofOne);
  const add = (principal: string, bytes: number): void => {
    all += bytes;
    for (const holder of holders(principal)) {
      const sum = (held.get(holder) ?? 0) + bytes;
      if (sum === 0) held.delete(holder);
      else held.set(holder, sum);
    }
  };
  const serve = (): void => {
    for (const each of waiting) {
      if (!fits(each.principal, each.bytes)) continue;
      waiting.delete(each);
      add(each.principal, each.bytes);
      each.begin();
    }
  };

  return {
    open(principal) {
      let own = 0;
      let closed = false;
      let working = 0;
      const account: MemoryAccount = {
        async take(bytes, milliseconds = bufferedWait) {
          if (own + bytes > ofOne) throw tooLarge(use, bufferedBytes);
          if (fits(principal, bytes)) add(principal, bytes);
          else
            await new Promise<void>((resolve, reject) => {
              const each: Waiting = {
                principal,
                bytes,
                begin: () => {
                  clearTimeout(timer);
                  resolve();
                },
              };
              const timer = setTimeout(() => {
                waiting.delete(each);
                reject(tooBusy(use, bufferedBytes, milliseconds));
              }, milliseconds);
              waiting.add(each);
            });
          if (closed) {
            add(principal, -bytes);
            serve();
            throw new ArtifactstoreError('cancelled', 'The connection was lost before the whole body had arrived.');
          }
          own += bytes;
        },
        give(bytes) {
          if (bytes === undefined) closed = true;
          if (bytes === undefined && working > 0) return;
          // What was given back all is not given back again.
          const given = Math.min(bytes ?? own, own);
          own -= given;
          if (given === 0) return;
          add(principal, -given);
          serve();
        },
        async keep(work) {
          working += 1;
          try {
            return await work();
          } finally {
            working -= 1;
            if (closed) account.give();
          }
        },
      };
      return account;
    },
  };
}

function tooBusy({ bound, one, all }: MemoryUse, limit: number, wait: number): ArtifactstoreError {
  const { variable } = httpBounds[bound];
  const named = variable === undefined ? '' : ` (${variable})`;
  return new ArtifactstoreError(
    'too_busy',
    `There was no memory for ${one} within ${wait / 1000} seconds; ask again later. ${all} ` +
      `together have ${limit} bytes${named}, those of one caller half of it.`,
    { info: { bound, limit, ...(variable === undefined ? {} : { variable }) } },
  );
}

function tooLarge({ bound, one }: MemoryUse, limit: number): ArtifactstoreError {
  const { variable } = httpBounds[bound];
  const named = variable === undefined ? '' : ` (${variable})`;
  return new ArtifactstoreError('body_too_large', `Reading ${one} takes more memory than one caller has: half of ${limit} bytes${named}.`, {
    info: { bound, limit, ...(variable === undefined ? {} : { variable }) },
  });
}
