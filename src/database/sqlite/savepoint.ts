import type { ArtifactstoreError } from '../../kernel/error.ts';
import type { LogHead } from '../../kernel/log/event.ts';
import type { Outcome, Transaction } from '../DATABASE.ts';
import { databaseUnavailable } from '../failure.ts';
import { type OperationContext, runOperation } from '../transaction.ts';
import type { SqliteConnection } from './connection.ts';
import { storageFault } from './error.ts';

type Body<R> = (transaction: Transaction) => Promise<R>;
type Ran<R> = { readonly head: LogHead; readonly outcome: Outcome<R> };

interface SqliteWriter extends OperationContext {
  readonly connection: SqliteConnection;
  /** Of the file. */
  readonly path: string;
}

/** Runs `body`, or undoes all that it did; throws only when the whole transaction is lost. */
export async function runInSavepoint<R>(context: SqliteWriter, head: LogHead, body: Body<R>): Promise<Ran<R>> {
  const { database } = context.connection;
  database.exec('savepoint operation');
  try {
    const ran = await runOperation(context, head, body);
    database.exec('release operation');
    return { head: ran.head, outcome: { output: ran.output } };
  } catch (error) {
    requireTransaction(context, error);
    database.exec('rollback to operation; release operation');
    return { head, outcome: { error } };
  }
}

/**
 * The same for what is first in its transaction, which has nothing else to keep: that is rolled back, and `begin`
 * starts another. A savepoint would have SQLite copy each page before its first change.
 */
export async function runFirst<R>(context: SqliteWriter, head: LogHead, body: Body<R>, begin: () => LogHead): Promise<Ran<R>> {
  try {
    const ran = await runOperation(context, head, body);
    return { head: ran.head, outcome: { output: ran.output } };
  } catch (error) {
    requireTransaction(context, error);
    context.connection.database.exec('rollback');
    return { head: begin(), outcome: { error } };
  }
}

/** A full disk or a failing one ends SQLite's transaction with all that was in it, whichever statement it strikes. */
function requireTransaction({ connection, path }: SqliteWriter, error: unknown): void {
  const fault = storageFault(error, path);
  if (fault !== undefined || !connection.database.isTransaction) throw fault ?? lostTransaction(error);
}

export function lostTransaction(cause: unknown): ArtifactstoreError {
  return databaseUnavailable('The transaction was lost before it was committed; repeat the request.', cause);
}
