import type { Unread } from './CREDENTIALS.ts';

export interface ReadingWatch {
  failed(reason: string): void;
  succeeded(): void;
  unread(): Unread | undefined;
}

/** Told when reading has failed for a while, and again now and then for as long as it does. */
export type OnUnread = (unread: Unread) => void;

/**
 * Remembers since when keys cannot be read from where they are kept, while those that were read stay in use: that
 * works for as long as nobody ends them, and somebody should know before.
 */
export function watchReading(now: () => number, onUnread: OnUnread | undefined): ReadingWatch {
  let since: number | undefined;
  let reason = '';
  let toldAt: number | undefined;

  function unread(): Unread | undefined {
    return since === undefined ? undefined : { seconds: Math.max(0, Math.floor((now() - since) / 1000)), reason };
  }

  return {
    failed(text) {
      since ??= now();
      reason = text;
      const isDue = toldAt === undefined ? now() - since >= quietMilliseconds : now() - toldAt >= againMilliseconds;
      if (!isDue) return;
      toldAt = now();
      onUnread?.(unread()!);
    },
    succeeded() {
      since = undefined;
      toldAt = undefined;
    },
    unread,
  };
}

/** A vault that is started again is no news. */
const quietMilliseconds = 60_000;
const againMilliseconds = 3_600_000;
