import { setTimeout as delay } from 'node:timers/promises';
import { type ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { LogHead } from '../../kernel/log/event.ts';
import { systemClock } from '../clock.ts';
import type { Operations, Outcome, Transaction, WriteOperation } from '../DATABASE.ts';
import { asArtifactstoreError, databaseUnavailable } from '../failure.ts';
import { runSet, type Task, takeSet, unknownOperation } from '../sets.ts';
import { type OperationContext, runOperation } from '../transaction.ts';
import { type PostgresAddress, parsePostgresUrl } from './address.ts';
import { connect, type OwnConnection, type PostgresTarget } from './connection.ts';
import { endsSession, serverFault, serverName, unknownOutcome, unreachable } from './error.ts';
import { causeOf, commit, createLock, type Lock } from './lock.ts';
import { requireSchema } from './schema.ts';
import { postgresSession } from './session.ts';

/**
 * The one place of a process where PostgreSQL is written to: many operations to a transaction, on a connection of its
 * own.
 */
export interface PostgresCommitter {
  write(name: string, input: unknown): Promise<unknown>;
  /** Does all that a write does, and writes nothing. Whoever asks while it is asked shares the answer. */
  check(): Promise<void>;
  /** Waits a bounded time for what has been asked and closes the connection. */
  close(): Promise<void>;
}

export interface CommitterOptions {
  readonly target: PostgresTarget;
  readonly operations: Operations;
  readonly onCommit: (sequence: number) => void;
}

interface Job {
  /** Undefined for `check`. */
  readonly name: string | undefined;
  readonly input: unknown;
  /** By `performance.now()`. */
  readonly since: number;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
  attempts: number;
}

interface Writer extends OperationContext {
  readonly connection: OwnConnection;
  /** Its session speaks through it. */
  readonly lock: Lock;
}

const batchOperations = 256;
const batchMilliseconds = 50;
const attemptsOfAJob = 3;
/** A server that restarts is waited for; one that stays unavailable is reported. */
const connectDelays = [0, 100, 300, 600, 1_000];
/** No longer than so is a new connection tried. */
const connectMilliseconds = 8_000;
/** An operation that has waited so long is not tried again: longer than one silence, shorter than two. */
const retryMilliseconds = 20_000;
/** What waits longer than this at the end is given up. */
const closeMilliseconds = 5_000;

/**
 * A statement's time; waiting for other processes, which hold the log; and how long the server lets a paused one keep
 * it from the rest.
 */
const patience = { statementMilliseconds: 11_000, silenceMilliseconds: 13_000, promptMilliseconds: 5_000 };
const sessionSettings = "set lock_timeout = '10s'; set idle_in_transaction_session_timeout = '60s'";

export const channelOf = (registryId: string): string => `artifactstore_${registryId}`;

export function createPostgresCommitter(options: CommitterOptions): PostgresCommitter {
  const { target } = options;
  const address = parsePostgresUrl(target.url);
  const queue: Job[] = [];
  let writer: Writer | undefined;
  let working: Promise<void> | undefined;
  let checking: Promise<void> | undefined;
  let closed = false;
  /** The last event that this process has acknowledged. */
  let acknowledged = 0;
  /** How many were in the last transaction. */
  let usual = 0;

  const connected = async (): Promise<Writer> => {
    if (writer === undefined || writer.connection.isLost()) writer = await openWriter(target, () => closed);
    return writer;
  };

  const disconnect = async (): Promise<void> => {
    const connection = writer?.connection;
    writer = undefined;
    await connection?.close();
  };

  /** The log is not where this process left it: to append would be to write over what was acknowledged. */
  const requireAcknowledged = ({ sequence }: LogHead): void => {
    if (sequence < acknowledged) throw behind(address, sequence, acknowledged);
  };

  const runBatch = async (): Promise<void> => {
    const started = performance.now();
    const taken: Job[] = [];
    const outcomes: Outcome<unknown>[] = [];
    const leave = (writing: Promise<void>): void => {
      written = writing.catch((error: unknown) => {
        failedLate = true;
        throw error;
      });
      written.catch(() => {});
    };
    let reached = false;
    let committing = false;
    /** What the last set writes, and whether that failed. */
    let written: Promise<void> | undefined;
    let failedLate = false;
    let locking: Promise<LogHead> | undefined;
    let head: LogHead;
    try {
      const context = await connected();
      reached = true;
      locking = context.lock.take(requireAcknowledged);
      head = travelsWithLock(queue, options.operations, usual) ? context.lock.head : await locking;
      while (queue.length > 0) {
        // What follows may roll back to a savepoint: the transaction would continue without the rows that were refused.
        await written;
        written = undefined;
        const set = takeSet(queue, options.operations, taskOf);
        taken.push(...set);
        const ran = await runSet(
          operationOf(options.operations, set[0]!),
          set.map(({ input }) => input),
          head,
          (from, body, isLast) => runInSavepoint(context, from, body, address, isLast ? leave : undefined),
        );
        head = ran.head;
        outcomes.push(...ran.outcomes);
        // What was in a transaction that was lost is tried again alone: it may be what loses it.
        if (set[0]!.attempts > 0 || (queue[0]?.attempts ?? 0) > 0) break;
        if (taken.length >= batchOperations || performance.now() - started > batchMilliseconds) break;
      }
      const start = await locking;
      committing = true;
      await commit(context.connection, channelOf(context.registryId), { start, head, written });
    } catch (thrown) {
      const error = await causeOf(locking, thrown);
      const lost = writer === undefined || writer.connection.isLost() || endsSession(error);
      await disconnect();
      if (taken.length === 0) taken.push(...queue.splice(0));
      const failure = lost
        ? (committing ? unknownOutcome : unreachable)(error, address)
        : (serverFault(error, address) ?? asArtifactstoreError(error));
      for (const job of taken.reverse()) {
        // What was not sent to be committed did not happen, and can be done again; a connection has been tried for long
        // enough.
        if ((lost ? reached && !committing : failedLate) && mayTryAgain(job)) queue.unshift(job);
        else job.reject(failure);
      }
      return;
    }
    usual = taken.length;
    acknowledged = Math.max(acknowledged, head.sequence);
    options.onCommit(head.sequence);
    taken.forEach((job, index) => {
      const outcome = outcomes[index]!;
      if ('error' in outcome) job.reject(outcome.error);
      else job.resolve(outcome.output);
    });
  };

  const mayTryAgain = (job: Job): boolean =>
    !closed && ++job.attempts < attemptsOfAJob && performance.now() - job.since < retryMilliseconds;

  const work = async (): Promise<void> => {
    writer?.connection.holdProcess(true);
    while (queue.length > 0) await runBatch();
    writer?.connection.holdProcess(false);
    working = undefined;
  };

  const ask = (name: string | undefined, input: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (closed) {
        reject(databaseUnavailable('The database is closed.'));
        return;
      }
      queue.push({ name, input, since: performance.now(), resolve, reject, attempts: 0 });
      working ??= work();
    });

  return {
    write: ask,
    check() {
      checking ??= ask(undefined, undefined)
        .then(() => {})
        .finally(() => {
          checking = undefined;
        });
      return checking;
    },
    async close() {
      closed = true;
      const late = setTimeout(() => {
        for (const job of queue.splice(0)) job.reject(databaseUnavailable('The database is closed.'));
        writer?.connection.abandon('no answer for the time that closing may take');
      }, closeMilliseconds);
      await working;
      clearTimeout(late);
      await disconnect();
    },
  };
}

async function openWriter(target: PostgresTarget, isClosed: () => boolean): Promise<Writer> {
  const deadline = performance.now() + connectMilliseconds;
  for (let attempt = 0; ; attempt++) {
    await delay(connectDelays[attempt]);
    let connection: OwnConnection | undefined;
    try {
      connection = await connect(target, patience);
      await connection.query(sessionSettings);
      const registryId = await requireSchema(connection, target);
      const lock = createLock(connection);
      return { connection, lock, session: postgresSession(lock.connection), registryId, clock: systemClock };
    } catch (error) {
      const lost = connection?.isLost() ?? isArtifactstoreError(error, 'database_unavailable');
      await connection?.close();
      const left = deadline - performance.now();
      if (attempt + 1 >= connectDelays.length || !lost || isClosed() || left <= 0) throw error;
    }
  }
}

function behind(address: PostgresAddress, found: number, acknowledged: number): ArtifactstoreError {
  return databaseUnavailable(
    `${serverName(address)} has the log up to event ${found}, and this server has acknowledged event ${acknowledged}: ` +
      'events were lost, in a failover or by a restore. Nothing was written; restart the server to continue from what there is.',
  );
}

/**
 * Whether what is first begins while the log is being locked, with what waits now: not where the last transaction had
 * far more, since those would then come too late for the set.
 */
function travelsWithLock(queue: readonly Job[], { writes }: Operations, usual: number): boolean {
  const task = taskOf(queue[0]!);
  return task !== undefined && writes[task.name]?.set?.readsFirst === true && 2 * queue.length >= usual;
}

/** What may be run with others: not a check, and nothing that was in a transaction that was lost. */
function taskOf({ name, input, attempts }: Job): Task | undefined {
  return name === undefined || attempts > 0 ? undefined : { name, input };
}

function operationOf({ writes }: Operations, { name }: Job): WriteOperation {
  return name === undefined ? nothing : (writes[name] ?? unknownOperation(name));
}

const nothing = async (): Promise<undefined> => undefined;

/** Leaves the savepoint of the next; throws only when the whole transaction is lost. */
async function runInSavepoint<R>(
  { connection, ...context }: Writer,
  head: LogHead,
  body: (transaction: Transaction) => Promise<R>,
  address: PostgresAddress,
  leave: ((written: Promise<void>) => void) | undefined,
): Promise<{ readonly head: LogHead; readonly outcome: Outcome<R> }> {
  try {
    const ran = await runOperation(context, head, body, leave);
    // Not waited for: whatever follows travels with it, and fails if it does.
    connection.query('release savepoint operation; savepoint operation').catch(() => {});
    return { head: ran.head, outcome: { output: ran.output } };
  } catch (error) {
    if (connection.isLost() || endsSession(error)) throw error;
    await connection.query('rollback to savepoint operation');
    return { head, outcome: { error: serverFault(error, address) ?? asArtifactstoreError(error) } };
  }
}
