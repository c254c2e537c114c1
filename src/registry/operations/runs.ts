import type { Transaction } from '../../database/DATABASE.ts';

export type RunKind = 'sweep' | 'collection' | 'verification' | 'backup';

export interface RecordRun {
  readonly kind: RunKind;
  /** Of a verification; empty for what is about all. */
  readonly backend_id: string;
  readonly started_at: string;
}

/** Writes down that a run came to its end, in place of the one before it. */
export async function recordRun(transaction: Transaction, { kind, backend_id: backendId, started_at }: RecordRun): Promise<void> {
  const times = { started_at, finished_at: transaction.now };
  await transaction.sql
    .insertInto('runs')
    .values({ kind, backend_id: backendId, ...times })
    .onConflict((conflict) => conflict.columns(['kind', 'backend_id']).doUpdateSet(times))
    .execute();
}
