import { connected } from '../connection.ts';
import { session } from '../session.ts';

/** Errors: the signal's reason, here and below. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** The page itself asks whether the server is back; nothing is sent before it has said so. */
export function untilConnected(signal: AbortSignal): Promise<void> {
  return until((tell) => connected.subscribe((is) => is && tell()), signal);
}

/** Somebody may have signed in while the refusal was on its way: `refused` is whose session it was. */
export function untilSignedIn(refused: number, signal: AbortSignal): Promise<void> {
  return until((tell) => session.subscribe(({ epoch, asks }) => epoch !== refused && asks === undefined && tell()), signal);
}

function until(subscribe: (tell: () => void) => () => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let end: (() => void) | undefined;
    let ended = false;
    const settle = (how: () => void) => (): void => {
      if (ended) return;
      ended = true;
      signal.removeEventListener('abort', stop);
      // `subscribe` tells the present state before it has said how to end it.
      queueMicrotask(() => end?.());
      how();
    };
    const stop = settle(() => reject(signal.reason));
    signal.addEventListener('abort', stop, { once: true });
    end = subscribe(settle(resolve));
  });
}
