import { Client } from 'pg';
import { channelOf } from './postgres-committer.ts';
import { clientConfig, holdProcess } from './postgres-connection.ts';
import { requireSchema } from './postgres-schema.ts';

/** Hears of other processes' commits. */
export interface PostgresListener {
  /** Listens from here on, if it can: whoever must not miss a commit asks now and then, too. */
  listen(): Promise<void>;
  close(): Promise<void>;
}

export function createPostgresListener(connectionString: string, onCommit: (sequence: number) => void): PostgresListener {
  let listening: Promise<Client | undefined> | undefined;
  let closed = false;

  const start = async (): Promise<Client | undefined> => {
    const client = new Client(clientConfig(connectionString));
    const lost = (): void => {
      listening = undefined;
    };
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', ({ payload }) => onCommit(Number(payload)));
    try {
      await client.connect();
      await client.query(`listen "${channelOf(await requireSchema(client))}"`);
      holdProcess(client, false);
      return client;
    } catch {
      lost();
      await client.end().catch(() => {});
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
      const client = await listening;
      await client?.end().catch(() => {});
    },
  };
}
