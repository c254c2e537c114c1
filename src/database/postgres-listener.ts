import { channelOf } from './postgres-committer.ts';
import { connect, holdProcess, type OwnConnection } from './postgres-connection.ts';
import { requireSchema } from './postgres-schema.ts';

/** Hears of other processes' commits. */
export interface PostgresListener {
  /** Listens from here on, if it can: whoever must not miss a commit asks now and then, too. */
  listen(): Promise<void>;
  close(): Promise<void>;
}

export function createPostgresListener(connectionString: string, onCommit: (sequence: number) => void): PostgresListener {
  let listening: Promise<OwnConnection | undefined> | undefined;
  let closed = false;

  const start = async (): Promise<OwnConnection | undefined> => {
    let connection: OwnConnection | undefined;
    try {
      connection = await connect(connectionString, () => {
        listening = undefined;
      });
      connection.client.on('notification', ({ payload }) => onCommit(Number(payload)));
      await connection.client.query(`listen "${channelOf(await requireSchema(connection.client))}"`);
      holdProcess(connection.client, false);
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
