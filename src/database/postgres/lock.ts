import type { LogHead } from '../../kernel/log/event.ts';
import { databaseUnavailable, lostHead } from '../failure.ts';
import { type OwnConnection, type PostgresConnection, together } from './connection.ts';

// Taking the log. While it is being locked nothing is decided: what is asked meanwhile travels behind the lock, and its
// answers are given when the lock is held.

/** A connection, and the log's lock. */
export interface Lock {
  /** What is asked here is sent at once. While the lock is being taken, it is answered after that, or fails as that. */
  readonly connection: PostgresConnection;
  /**
   * Begins a transaction that has the log, with the savepoint of its first operation. `require` throws for a head that
   * is not one to write on.
   */
  take(require: (head: LogHead) => void): Promise<LogHead>;
  /** The head of the transaction. To look at its values before the lock is held throws. */
  readonly head: LogHead;
}

const beginWithHead = [
  'begin isolation level read committed',
  // Whatever the server's default is: an answer means that the commit is on its disk.
  'set local synchronous_commit = on',
  'select sequence, chain_digest from log_head where id = 1 for update',
] as const;

export function createLock(connection: OwnConnection): Lock {
  let taking: Promise<LogHead> | undefined;
  let held: LogHead | undefined;
  const current = (): LogHead => {
    if (held === undefined) throw new TypeError('an operation appended before the log was locked');
    return held;
  };
  return {
    connection: {
      query(text, values, name) {
        const answer = connection.query(text, values, name);
        if (taking === undefined) return answer;
        answer.catch(() => {});
        return taking.then(() => answer);
      },
    },
    take(require) {
      held = undefined;
      taking = begin(connection).then((head) => {
        require(head);
        held = head;
        taking = undefined;
        return head;
      });
      taking.catch(() => {});
      return taking;
    },
    head: {
      get sequence() {
        return current().sequence;
      },
      get chain_digest() {
        return current().chain_digest;
      },
    },
  };
}

async function begin(connection: OwnConnection): Promise<LogHead> {
  const [first, ...rest] = beginWithHead;
  const answers = await together([connection.ask(first), ...[...rest, 'savepoint operation'].map((text) => connection.query(text))]);
  const head = answers[2]?.rows[0] as LogHead | undefined;
  if (head === undefined) throw lostHead();
  return head;
}

/**
 * Moves the head, tells `channel` of it, and gives the log back. `written` is what travels with it: where that fails,
 * nothing is committed.
 */
export async function commit(
  connection: PostgresConnection,
  channel: string,
  { start, head, written }: { readonly start: LogHead; readonly head: LogHead; readonly written: Promise<void> | undefined },
): Promise<void> {
  const moved =
    head.sequence === start.sequence
      ? []
      : [
          connection.query(
            'update log_head set sequence = $1, chain_digest = $2 where id = 1',
            [head.sequence, head.chain_digest],
            'write_head',
          ),
          connection.query('select pg_notify($1, $2)', [channel, String(head.sequence)], 'notify'),
        ];
  const committed = connection.query('commit');
  await together<unknown>([...(written === undefined ? [] : [written]), ...moved, committed]);
  // A transaction that had failed answers COMMIT with ROLLBACK, and with no error.
  const { command } = await committed;
  if (command !== 'COMMIT')
    throw databaseUnavailable('The transaction was not committed; repeat the request.', new Error(`the server answered ${command}`));
}

/** Why a transaction failed: what follows a lock that was not taken fails for that. */
export async function causeOf(taking: Promise<LogHead> | undefined, error: unknown): Promise<unknown> {
  try {
    await taking;
    return error;
  } catch (first) {
    return first;
  }
}
