import { uptime as systemUptime } from 'node:os';

/**
 * Milliseconds that the machine has run, its sleep included. The system is asked once in each turn of the event loop,
 * since every time a file is read for it.
 */
export function createUptime(ask: () => number = systemUptime): () => number {
  let known: number | undefined;
  return () => {
    if (known === undefined) {
      known = ask() * 1000;
      setImmediate(() => {
        known = undefined;
      });
    }
    return known;
  };
}
