import { channelOf } from './committer.ts';
import { connect, type OwnConnection, type PostgresTarget } from './connection.ts';
import { requireSchema } from './schema.ts';

/** Hears of other processes' commits. */
export interface PostgresListener {
  /** Listens from here on, if it can: whoever must not miss a commit asks now and then, too. */
  listen(): Promise<void>;
  close(): Promise<void>;
}

/** It only ever asks when it begins; that a server is gone it learns from the system, which asks for signs of life. */
const patience = { statementMilliseconds: 5_000, silenceMilliseconds: 6_000 };

export function createPostgresListener(target: PostgresTarget, onCommit: (sequence: number) => void): PostgresListener {
  let listening: Promise<OwnConnection | undefined> | undefined;
  let closed = false;

  const start = async (): Promise<OwnConnection | undefined> => {
    let connection: OwnConnection | undefined;
    try {
      connection = await connect(target, patience, () => {
        listening = undefined;
      });
      connection.onNotification((payload) => onCommit(Number(payload)));
      await connection.query(`listen "${channelOf(await requireSchema(connection, target))}"`);
      connection.holdProcess(false);
      return connection;
    } catch {
      listening = undefined;
      await connection?.close();
      return undefined;
    }
  };

  return {
    async listen() {
      if (closed) return;
      listening ??= start();
      await listening;
    },
    async close() {
      closed = true;
      const connection = await listening;
      await connection?.close();
    },
  };
}
