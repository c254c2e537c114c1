import { Client, type ClientConfig, types } from 'pg';
import { type PostgresAddress, parsePostgresUrl } from './address.ts';
import { serverName, unreachable } from './error.ts';
import { type Greeting, greetingQuery, refusal } from './greeting.ts';
import { chooseTls } from './tls.ts';

/** Any connection that can be asked. */
export interface PostgresConnection {
  /** With a `name` the server keeps the statement. Not for one whose answer gets another column with a migration. */
  query(
    text: string,
    values?: unknown[],
    name?: string,
  ): Promise<{ readonly command: string; readonly rowCount: number | null; readonly rows: unknown[] }>;
}

/** A server, and how it is used. */
export interface PostgresTarget {
  readonly url: string;
  /** It is only read from, so that a standby will do. */
  readonly readOnly: boolean;
}

export interface Patience {
  /** How long the server works on one statement; unlimited where absent. */
  readonly statementMilliseconds?: number;
  /**
   * How long no answer is waited for before the connection is given up; for ever where absent. A flow that a router has
   * forgotten gives no error for a quarter of an hour.
   */
  readonly silenceMilliseconds?: number;
  /** The same for what takes the server no work: see `ask`. */
  readonly promptMilliseconds?: number;
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

/** A dead flow is found this soon while nothing is asked: the system asks for signs of life itself. */
const keepAliveMilliseconds = 10_000;
/** How long a goodbye may take. */
const goodbyeMilliseconds = 1_000;

/** The server finds a dead client as soon, and gives up what it holds: the log's head, most of all. */
const serverKeepAlive =
  'set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3; set tcp_user_timeout = 30000';

/** Left alone the driver would look for one in PGPASSWORD and ~/.pgpass, and send it to whatever host the URL names. */
function noPassword(): never {
  throw new Error('The password must be a string.');
}

async function clientConfig(address: PostgresAddress): Promise<ClientConfig> {
  const tls = await chooseTls(address);
  const { host, port, user, password, database, options } = address;
  return {
    host,
    port,
    database,
    ...(user === undefined ? {} : { user }),
    password: password ?? noPassword,
    ...(options === undefined ? {} : { options }),
    ssl: tls as NonNullable<ClientConfig['ssl']>,
    application_name: address.applicationName,
    connectionTimeoutMillis: address.connectMilliseconds,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMilliseconds,
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

export interface OwnConnection extends PostgresConnection {
  /** When it was made, by `performance.now()`. */
  readonly born: number;
  /**
   * As `query`, for what takes the server no work: no answer soon means that nobody is there. Whoever begins with it
   * finds a dead flow before a long statement is sent into it.
   */
  ask(text: string): ReturnType<PostgresConnection['query']>;
  /** Payloads of NOTIFY. */
  onNotification(listener: (payload: string) => void): void;
  /** True from the moment the connection is gone, with whatever its transaction had done. */
  isLost(): boolean;
  /** Whether the connection by itself keeps the process alive. */
  holdProcess(hold: boolean): void;
  /** Ends it now, and whatever waits for it. */
  abandon(reason: string): void;
  /** Ends it within a bounded time. */
  close(): Promise<void>;
}

/**
 * Connects, and refuses a server that this software does not work with. Errors: `database_unavailable`,
 * `invalid_configuration`. `onLoss` is called at least once when the connection ends by itself.
 */
export async function connect(target: PostgresTarget, patience: Patience = {}, onLoss?: () => void): Promise<OwnConnection> {
  const address = parsePostgresUrl(target.url);
  const client = new Client(
    await clientConfig(address).catch((error: unknown) => {
      throw unreachable(error, address);
    }),
  );
  const socket = client as Client & { ref(): void; unref(): void; readonly connection: { readonly stream: Destroyable } };
  const born = performance.now();
  let lost = false;
  const lose = (): void => {
    lost = true;
    onLoss?.();
  };
  client.on('error', lose);
  client.on('end', lose);
  const abandon = (reason: string): void => {
    lost = true;
    socket.connection.stream.destroy(new Error(reason));
  };
  const close = async (): Promise<void> => {
    socket.ref();
    // It may be that there is nobody left to say goodbye to.
    const timer = setTimeout(() => abandon('the goodbye was not answered'), goodbyeMilliseconds);
    await client.end().catch(() => {});
    clearTimeout(timer);
  };
  const { query, ask } = endSilence(client, patience, abandon);
  try {
    await client.connect();
    const late = setTimeout(() => abandon('timeout expired'), address.connectMilliseconds);
    const limit = `set statement_timeout = ${patience.statementMilliseconds ?? 0}`;
    const [answer] = await together([query(greetingQuery), query(`${serverKeepAlive}; ${limit}`)]).finally(() => clearTimeout(late));
    const refused = refusal(answer!.rows[0] as Greeting, serverName(address), target.readOnly);
    if (refused !== undefined) throw refused;
  } catch (error) {
    await close();
    throw unreachable(error, address);
  }
  return {
    born,
    query,
    ask,
    onNotification: (listener) => client.on('notification', ({ payload }) => listener(payload ?? '')),
    isLost: () => lost,
    holdProcess: (hold) => (hold ? socket.ref() : socket.unref()),
    abandon,
    close,
  };
}

interface Destroyable {
  destroy(error: Error): void;
}

/** Gives the connection up when something was asked and for so long nothing was answered. */
function endSilence(
  client: Client,
  { silenceMilliseconds, promptMilliseconds }: Patience,
  abandon: (reason: string) => void,
): Pick<OwnConnection, 'query' | 'ask'> {
  let asked = 0;
  let timer: NodeJS.Timeout | undefined;
  const listen = (milliseconds: number | undefined): void => {
    clearTimeout(timer);
    timer =
      asked === 0 || milliseconds === undefined ? undefined : setTimeout(() => abandon(`no answer for ${milliseconds} ms`), milliseconds);
  };
  const answered = (): void => {
    asked -= 1;
    listen(silenceMilliseconds);
  };
  const send = (text: string, values: unknown[] | undefined, name: string | undefined, milliseconds: number | undefined) => {
    asked += 1;
    if (asked === 1) listen(milliseconds);
    const answer = name === undefined ? client.query(text, values) : client.query({ name, text, values: values ?? [] });
    answer.then(answered, answered);
    return answer;
  };
  return {
    query: (text, values, name) => send(text, values, name, silenceMilliseconds),
    ask: (text) => send(text, undefined, undefined, promptMilliseconds ?? silenceMilliseconds),
  };
}

/**
 * Waits for all, so that none is left in flight, and throws the first failure in their order: those after it only
 * follow from it.
 */
export async function together<T>(queries: readonly Promise<T>[]): Promise<readonly T[]> {
  const settled = await Promise.allSettled(queries);
  return settled.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
