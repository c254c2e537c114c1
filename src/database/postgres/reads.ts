import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Snapshot } from '../DATABASE.ts';
import { databaseUnavailable } from '../failure.ts';
import { parsePostgresUrl } from './address.ts';
import type { OwnConnection, PostgresConnection, PostgresTarget } from './connection.ts';
import { postgresQueries } from './dialect.ts';
import { endsSession, serverName, sqlState, unreachable } from './error.ts';
import { isStandby } from './greeting.ts';
import { createPostgresPool, poolConnections } from './pool.ts';
import { requireSchema } from './schema.ts';

export type Reading<R> = (connection: PostgresConnection, snapshot: Snapshot) => Promise<R>;

/** Reads on snapshots, each of which has everything that this process was told is committed. */
export interface PostgresReads {
  read<R>(body: Reading<R>): Promise<R>;
  /** This process has acknowledged what is committed up to here: nothing older is read any more. */
  acknowledged(sequence: number): void;
  close(): Promise<void>;
}

/** Long enough for what looks at everything, as a plan of a collection does. */
const statementMilliseconds = 110_000;
const silenceMilliseconds = 120_000;
const promptMilliseconds = 5_000;
/** A read that has taken so long is not tried again. */
const patienceMilliseconds = 20_000;

export function createPostgresReads(target: PostgresTarget): PostgresReads {
  const where = serverName(parsePostgresUrl(target.url));
  const pool = createPostgresPool({ target, statementMilliseconds, silenceMilliseconds, promptMilliseconds });
  let migrated = false;
  let acknowledged = 0;

  /**
   * A server that was demoted, or put in the place of another, still answers: it is asked with every read, in the same
   * journey.
   */
  const checkState = (state: PostgresState, least: number): void => {
    if (state.standby && !target.readOnly) throw stale(isStandby(where));
    if (state.sequence !== null && state.sequence < least)
      throw stale(
        databaseUnavailable(
          `${where} shows the log up to event ${state.sequence}, and this server has acknowledged event ${least}: ` +
            'it is behind, or has lost events in a failover. Restart the server to continue from what there is.',
        ),
      );
  };

  const readOnce = async <R>(body: Reading<R>): Promise<{ readonly result: R } | { readonly lost: unknown }> => {
    const connection = await pool.take();
    const least = acknowledged;
    let good = true;
    try {
      if (!migrated) await requireSchema(connection, target);
      migrated = true;
      return { result: await inSnapshot(connection, (state) => checkState(state, least), body) };
    } catch (error) {
      good = !(connection.isLost() || endsSession(error) || isStale(error));
      if (good) throw error;
      pool.distrust();
      return { lost: error };
    } finally {
      pool.giveBack(connection, good);
    }
  };

  return {
    async read(body) {
      const began = performance.now();
      // The pool may hold connections that died with a server; reading again does no harm.
      for (let attempt = 0; ; attempt++) {
        const outcome = await readOnce(body);
        if ('result' in outcome) return outcome.result;
        if (attempt >= poolConnections || performance.now() - began > patienceMilliseconds)
          throw unreachable(outcome.lost, parsePostgresUrl(target.url));
      }
    },
    acknowledged(sequence) {
      acknowledged = Math.max(acknowledged, sequence);
    },
    close: pool.close,
  };
}

interface PostgresState {
  readonly standby: boolean;
  /** Null where the head is lost. */
  readonly sequence: number | null;
}

const stateQuery = 'select pg_is_in_recovery() as standby, (select sequence from log_head where id = 1) as sequence';

async function inSnapshot<R>(connection: OwnConnection, check: (state: PostgresState) => void, body: Reading<R>): Promise<R> {
  // Before the transaction, which a lost table would end; not waited for: the first query of the body travels with
  // them.
  const asked = readState(connection);
  const begun = connection.query('begin isolation level repeatable read read only');
  for (const promise of [asked, begun]) promise.catch(() => {});
  try {
    const outcome = await body(connection, { sql: postgresQueries(connection) }).then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
    // First: what a server says that is not the right one is no answer, and neither is its error.
    check(await asked);
    await begun;
    if ('error' in outcome) throw outcome.error;
    return outcome.result;
  } finally {
    await connection.query('rollback');
  }
}

async function readState(connection: OwnConnection): Promise<PostgresState> {
  try {
    return (await connection.ask(stateQuery)).rows[0] as PostgresState;
  } catch (error) {
    if (sqlState(error) !== undefinedTable) throw error;
    return { standby: false, sequence: null };
  }
}

const undefinedTable = '42P01';

const staleErrors = new WeakSet<ArtifactstoreError>();

function stale(error: ArtifactstoreError): ArtifactstoreError {
  staleErrors.add(error);
  return error;
}

function isStale(error: unknown): boolean {
  return error instanceof ArtifactstoreError && staleErrors.has(error);
}
