import { databaseUnavailable } from '../failure.ts';
import { connect, type OwnConnection, type PostgresTarget } from './connection.ts';

/** Connections that are shared by turns. */
export interface PostgresPool {
  /**
   * One that nobody else uses until it is given back. Errors: those of `connect`; `database_unavailable` when none
   * becomes free.
   */
  take(): Promise<OwnConnection>;
  /** `good` is false when it is not to be used again. */
  giveBack(connection: OwnConnection, good: boolean): void;
  /** Those that exist now are not to be used again: what was wrong with one may be so with all. */
  distrust(): void;
  /** Ends within a bounded time, whoever still has one. */
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly target: PostgresTarget;
  readonly statementMilliseconds: number;
  readonly silenceMilliseconds: number;
  readonly promptMilliseconds: number;
}

/** How many a process takes of the server's, at most. */
export const poolConnections = 10;

const idleMilliseconds = 30_000;
const waitMilliseconds = 10_000;
const closeMilliseconds = 3_000;

interface Waiting {
  readonly resolve: (connection: OwnConnection) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

export function createPostgresPool({ target, ...patience }: PoolOptions): PostgresPool {
  const idle = new Map<OwnConnection, NodeJS.Timeout>();
  const taken = new Set<OwnConnection>();
  const waiting: Waiting[] = [];
  let opening = 0;
  let trustedSince = 0;
  let closed = false;
  let emptied: (() => void) | undefined;

  const end = (connection: OwnConnection): void => {
    void connection.close();
  };
  const isGood = (connection: OwnConnection): boolean => !closed && !connection.isLost() && connection.born >= trustedSince;

  const takeIdle = (): OwnConnection | undefined => {
    // The last that was used: the others may end when they are not needed.
    for (const [connection, timer] of [...idle].reverse()) {
      clearTimeout(timer);
      idle.delete(connection);
      if (isGood(connection)) return connection;
      end(connection);
    }
    return undefined;
  };
  const lend = (connection: OwnConnection): OwnConnection => {
    taken.add(connection);
    connection.holdProcess(true);
    return connection;
  };

  const open = async (): Promise<OwnConnection> => {
    opening += 1;
    try {
      const connection = await connect(target, patience);
      if (!closed) return lend(connection);
      end(connection);
      throw isClosed();
    } finally {
      opening -= 1;
    }
  };

  const nextWaiting = (): Waiting | undefined => {
    const next = waiting.shift();
    clearTimeout(next?.timer);
    return next;
  };

  /** Somebody has gone: whoever waits gets a connection of their own. */
  const replace = async (): Promise<void> => {
    const next = nextWaiting();
    if (next === undefined) return;
    try {
      next.resolve(await open());
    } catch (error) {
      next.reject(error);
      await replace();
    }
  };

  const waitForOne = (): Promise<OwnConnection> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(entry), 1);
        const seconds = waitMilliseconds / 1_000;
        reject(
          databaseUnavailable(
            `All ${poolConnections} connections of this process that read the ` +
              `database were in use for ${seconds} seconds; repeat the request.`,
          ),
        );
      }, waitMilliseconds);
      const entry: Waiting = { resolve, reject, timer };
      waiting.push(entry);
    });

  return {
    async take() {
      if (closed) throw isClosed();
      const kept = takeIdle();
      if (kept !== undefined) return lend(kept);
      if (taken.size + opening >= poolConnections) return await waitForOne();
      try {
        return await open();
      } catch (error) {
        // Whoever waits for this one has nobody else to wait for.
        void replace();
        throw error;
      }
    },
    giveBack(connection, good) {
      taken.delete(connection);
      if (!good || !isGood(connection)) {
        end(connection);
        if (!closed) void replace();
      } else {
        const next = nextWaiting();
        if (next !== undefined) next.resolve(lend(connection));
        else {
          connection.holdProcess(false);
          const timer = setTimeout(() => {
            idle.delete(connection);
            end(connection);
          }, idleMilliseconds);
          idle.set(connection, timer.unref());
        }
      }
      if (taken.size === 0) emptied?.();
    },
    distrust() {
      trustedSince = performance.now();
    },
    async close() {
      closed = true;
      for (let next = nextWaiting(); next !== undefined; next = nextWaiting()) next.reject(isClosed());
      const ended = [...idle].map(([connection, timer]) => {
        clearTimeout(timer);
        return connection.close();
      });
      idle.clear();
      if (taken.size > 0) {
        const timer = setTimeout(() => {
          for (const connection of taken) connection.abandon('the database is closed');
        }, closeMilliseconds);
        await new Promise<void>((resolve) => {
          emptied = resolve;
        });
        clearTimeout(timer);
      }
      await Promise.all(ended);
    },
  };
}

function isClosed(): Error {
  return databaseUnavailable('The database is closed.');
}
