import type { ArtifactstoreError } from '../../kernel/error.ts';
import type { LogHead } from '../../kernel/log/event.ts';
import type { Outcome, Transaction } from '../DATABASE.ts';
import { databaseUnavailable } from '../failure.ts';
import { type OperationContext, runOperation } from '../transaction.ts';
import type { SqliteConnection } from './connection.ts';
import { storageFault } from './error.ts';

interface SqliteWriter extends OperationContext {
  readonly connection: SqliteConnection;
  /** Of the file. */
  readonly path: string;
}

/** Runs `body`, or undoes all that it did; throws only when the whole transaction is lost. */
export async function runInSavepoint<R>(
  context: SqliteWriter,
  head: LogHead,
  body: (transaction: Transaction) => Promise<R>,
): Promise<{ readonly head: LogHead; readonly outcome: Outcome<R> }> {
  const { database } = context.connection;
  database.exec('savepoint operation');
  try {
    const ran = await runOperation(context, head, body);
    database.exec('release operation');
    return { head: ran.head, outcome: { output: ran.output } };
  } catch (error) {
    // A full disk or a failing one ends SQLite's transaction with all that was in it, at whichever statement it
    // strikes.
    const fault = storageFault(error, context.path);
    if (fault !== undefined || !database.isTransaction) throw fault ?? lostTransaction(error);
    database.exec('rollback to operation; release operation');
    return { head, outcome: { error } };
  }
}

export function lostTransaction(cause: unknown): ArtifactstoreError {
  return databaseUnavailable('The transaction was lost before it was committed; repeat the request.', cause);
}
