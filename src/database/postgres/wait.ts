import { setTimeout as delay } from 'node:timers/promises';
import { connect, type PostgresTarget } from './connection.ts';
import { mayPass } from './error.ts';

export interface WaitForServer {
  /** No longer than so is waited. */
  readonly milliseconds: number;
  /** Told every few seconds what is waited for. */
  onWaiting(reason: string): void;
}

const pauseMilliseconds = 500;
const tellMilliseconds = 5_000;

/**
 * Resolves when the server can be used. What waiting cannot mend is thrown at once, and what it could have, when the
 * time has passed.
 */
export async function waitForServer(target: PostgresTarget, { milliseconds, onWaiting }: WaitForServer): Promise<void> {
  const deadline = performance.now() + milliseconds;
  let told = Number.NEGATIVE_INFINITY;
  for (;;) {
    try {
      await (await connect(target)).close();
      return;
    } catch (error) {
      if (!mayPass(error) || performance.now() > deadline) throw error;
      if (performance.now() - told > tellMilliseconds) {
        told = performance.now();
        onWaiting((error as Error).message);
      }
    }
    await delay(pauseMilliseconds);
  }
}
