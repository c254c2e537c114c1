import { setTimeout as delay } from 'node:timers/promises';
import { ArtifactstoreError } from '../kernel/error.ts';
import type { LogHead } from '../kernel/event.ts';
import { systemClock } from './clock.ts';
import type { Operations } from './DATABASE.ts';
import { asArtifactstoreError, databaseUnavailable, lostHead } from './failure.ts';
import { connect, holdProcess, type OwnConnection, together } from './postgres-connection.ts';
import { endsSession, serverFault, unreachable } from './postgres-error.ts';
import { requireSchema } from './postgres-schema.ts';
import { postgresSession } from './postgres-session.ts';
import { type OperationContext, runOperation } from './transaction.ts';

/** The one place of a process where PostgreSQL is written to: many operations to a transaction, on a connection of its own. */
export interface PostgresCommitter {
  write(name: string, input: unknown): Promise<unknown>;
  /** Waits for what has been asked and closes the connection. */
  close(): Promise<void>;
}

export interface CommitterOptions {
  readonly connectionString: string;
  readonly operations: Operations;
  readonly onCommit: (sequence: number) => void;
}

interface Job {
  readonly name: string;
  readonly input: unknown;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
  attempts: number;
}

interface Writer extends OperationContext {
  readonly connection: OwnConnection;
}

type Outcome = { readonly output: unknown } | { readonly error: unknown };

const batchOperations = 256;
const batchMilliseconds = 50;
const attemptsOfAJob = 3;
/** A server that restarts is waited for; one that stays away is told of. */
const connectDelays = [0, 100, 300, 600, 1_000];

/** Waiting for other processes; and how long the server lets a paused one keep the log from the rest. */
const sessionSettings = "set lock_timeout = '30s'; set idle_in_transaction_session_timeout = '60s'";

export const channelOf = (registryId: string): string => `artifactstore_${registryId}`;

const beginWithHead = [
  'begin isolation level read committed',
  // Whatever the server's default is: an answer means that the commit is on its disk.
  'set local synchronous_commit = on',
  'select sequence, chain_digest from log_head where id = 1 for update',
] as const;

export function createPostgresCommitter(options: CommitterOptions): PostgresCommitter {
  const queue: Job[] = [];
  let writer: Writer | undefined;
  let working: Promise<void> | undefined;
  let closed = false;

  const connected = async (): Promise<Writer> => {
    if (writer === undefined || writer.connection.isLost()) writer = await openWriter(options.connectionString);
    return writer;
  };

  const disconnect = async (): Promise<void> => {
    const connection = writer?.connection;
    writer = undefined;
    await connection?.close();
  };

  const runBatch = async (): Promise<void> => {
    const started = performance.now();
    const taken: Job[] = [];
    const outcomes: Outcome[] = [];
    let committing = false;
    let head: LogHead;
    try {
      const context = await connected();
      const start = await begin(context);
      head = start;
      for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
        taken.push(job);
        const ran = await runInSavepoint(context, head, options.operations, job);
        head = ran.head;
        outcomes.push(ran.outcome);
        // What was in a transaction that was lost is tried again alone: it may be what loses it.
        if (job.attempts > 0 || (queue[0]?.attempts ?? 0) > 0) break;
        if (taken.length >= batchOperations || performance.now() - started > batchMilliseconds) break;
      }
      committing = true;
      await commit(context, start, head);
    } catch (error) {
      const lost = writer === undefined || writer.connection.isLost() || endsSession(error);
      await disconnect();
      if (taken.length === 0) taken.push(...queue.splice(0));
      for (const job of taken.reverse()) {
        // What was not sent to be committed did not happen, and can be done again.
        if (lost && !committing && ++job.attempts < attemptsOfAJob) queue.unshift(job);
        else
          job.reject(
            lost && !(error instanceof ArtifactstoreError) ? unreachable(error) : (serverFault(error) ?? asArtifactstoreError(error)),
          );
      }
      return;
    }
    options.onCommit(head.sequence);
    taken.forEach((job, index) => {
      const outcome = outcomes[index]!;
      if ('error' in outcome) job.reject(outcome.error);
      else job.resolve(outcome.output);
    });
  };

  const work = async (): Promise<void> => {
    holdProcess(writer?.connection.client, true);
    while (queue.length > 0) await runBatch();
    holdProcess(writer?.connection.client, false);
    working = undefined;
  };

  return {
    write: (name, input) =>
      new Promise((resolve, reject) => {
        if (closed) {
          reject(databaseUnavailable('The database is closed.'));
          return;
        }
        queue.push({ name, input, resolve, reject, attempts: 0 });
        working ??= work();
      }),
    async close() {
      closed = true;
      await working;
      await disconnect();
    },
  };
}

async function openWriter(connectionString: string): Promise<Writer> {
  for (let attempt = 0; ; attempt++) {
    await delay(connectDelays[attempt]);
    let connection: OwnConnection | undefined;
    try {
      connection = await connect(connectionString);
      await connection.client.query(sessionSettings);
      const registryId = await requireSchema(connection.client);
      return { connection, session: postgresSession(connection.client), registryId, clock: systemClock };
    } catch (error) {
      const lost = connection?.isLost() ?? true;
      await connection?.close();
      if (attempt + 1 >= connectDelays.length || !lost) throw error;
    }
  }
}

/** Takes the log, and sets the savepoint of the first operation. */
async function begin({ connection: { client } }: Writer): Promise<LogHead> {
  const answers = await together([...beginWithHead, 'savepoint operation'].map((text) => client.query(text)));
  const head = answers[2]?.rows[0] as LogHead | undefined;
  if (head === undefined) throw lostHead();
  return head;
}

/** Gives the operation's outcome, and leaves the savepoint of the next; throws only when the whole transaction is lost. */
async function runInSavepoint(
  context: Writer,
  head: LogHead,
  operations: Operations,
  job: Job,
): Promise<{ readonly head: LogHead; readonly outcome: Outcome }> {
  const operation = operations.writes[job.name];
  try {
    if (operation === undefined) throw new TypeError(`no writing operation is named ${job.name}`);
    const ran = await runOperation(context, head, operation, job.input);
    await context.connection.client.query('release savepoint operation; savepoint operation');
    return { head: ran.head, outcome: { output: ran.output } };
  } catch (error) {
    if (context.connection.isLost() || endsSession(error)) throw error;
    await context.connection.client.query('rollback to savepoint operation');
    return { head, outcome: { error: serverFault(error) ?? asArtifactstoreError(error) } };
  }
}

async function commit({ connection: { client }, registryId }: Writer, start: LogHead, head: LogHead): Promise<void> {
  const moved =
    head.sequence === start.sequence
      ? []
      : [
          client.query('update log_head set sequence = $1, chain_digest = $2 where id = 1', [head.sequence, head.chain_digest]),
          client.query('select pg_notify($1, $2)', [channelOf(registryId), String(head.sequence)]),
        ];
  const answers = await together([...moved, client.query('commit')]);
  // A transaction that had failed answers COMMIT with ROLLBACK, and with no error.
  const command = answers.at(-1)?.command;
  if (command !== 'COMMIT')
    throw databaseUnavailable('The transaction was not committed; repeat the request.', new Error(`the server answered ${command}`));
}
