import { Client, type ClientConfig, types } from 'pg';
import { unreachable } from './postgres-error.ts';

/** Any connection that can be asked: a client of its own, or one from the pool. */
export interface PostgresConnection {
  query(
    text: string,
    values?: unknown[],
  ): Promise<{ readonly command: string; readonly rowCount: number | null; readonly rows: unknown[] }>;
}

/** OIDs of https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat. */
const oid = { bytea: 17, int8: 20, numeric: 1700 };

const parsers: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  // Sequences, sizes and sums of sizes: all below 2^53.
  [oid.int8, Number],
  [oid.numeric, Number],
  [
    oid.bytea,
    (text) => {
      const bytes = Buffer.from(text.slice('\\x'.length), 'hex');
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    },
  ],
]);

export function clientConfig(connectionString: string): ClientConfig {
  return {
    connectionString,
    application_name: 'artifactstore',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    // Queries that do not need each other's answers travel together.
    pipeline: true,
    types: {
      getTypeParser(id: number, format?: string) {
        const parser = format === 'binary' ? undefined : parsers.get(id);
        return parser ?? types.getTypeParser(id, format as 'text');
      },
    } as NonNullable<ClientConfig['types']>,
  };
}

/** A connection of its own, outside the pool. */
export interface OwnConnection {
  readonly client: Client;
  /** True from the moment the connection is gone, with whatever its transaction had done. */
  isLost(): boolean;
  close(): Promise<void>;
}

/** Errors: `database_unavailable`. `onLoss` is called at least once when the connection ends by itself. */
export async function connect(connectionString: string, onLoss?: () => void): Promise<OwnConnection> {
  const client = new Client(clientConfig(connectionString));
  let lost = false;
  const lose = (): void => {
    lost = true;
    onLoss?.();
  };
  client.on('error', lose);
  client.on('end', lose);
  const close = async (): Promise<void> => {
    holdProcess(client, true);
    // It may be that there is nobody left to say goodbye to.
    await client.end().catch(() => {});
  };
  try {
    await client.connect();
  } catch (error) {
    await close();
    throw unreachable(error);
  }
  return { client, isLost: () => lost, close };
}

/** Waits for all, so that none is left in flight, and throws the first failure in their order: those after it only follow from it. */
export async function together<T>(queries: readonly Promise<T>[]): Promise<readonly T[]> {
  const settled = await Promise.allSettled(queries);
  return settled.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

/** Whether the connection by itself keeps the process alive. */
export function holdProcess(client: Client | undefined, hold: boolean): void {
  const socket = client as (Client & { ref(): void; unref(): void }) | undefined;
  if (hold) socket?.ref();
  else socket?.unref();
}
