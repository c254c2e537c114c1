import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Outcome, SetForm, Transaction } from '../DATABASE.ts';
import { packageCreated } from './events.ts';

export interface ClaimKey {
  readonly key: string;
  /**
   * `broken` is a statement that the database refuses, `unseen` a row that it refuses at the end; `heavy` fills a set.
   */
  readonly kind: 'good' | 'broken' | 'unseen' | 'heavy';
}

/** How many inputs ran at once, and the sequence of the event. */
export interface ClaimedKey {
  readonly together: number;
  readonly sequence: number;
}

/** Takes keys that only one input can have, all that wait at once. */
async function claimAll(transaction: Transaction, inputs: readonly ClaimKey[]): Promise<readonly Outcome<ClaimedKey>[]> {
  const { sql } = transaction;
  const keys = inputs.map(({ key }) => key);
  const rows = await sql.selectFrom('idempotency_keys').select('idempotency_key').where('idempotency_key', 'in', keys).execute();
  const taken = new Set(rows.map((row) => row.idempotency_key));
  const outcomes = inputs.map(({ key, kind }): Outcome<ClaimedKey> => {
    if (taken.has(key) && kind !== 'unseen')
      return { error: new ArtifactstoreError('idempotency_conflict', `The key ${key} is taken.`, { field: key }) };
    taken.add(key);
    const id = transaction.newId();
    const sequence = transaction.append(packageCreated(id, key));
    const created_at = transaction.now;
    transaction.insert('idempotency_keys', { producer: 'p', idempotency_key: key, request_digest: '', package_id: id, created_at });
    return { output: { together: inputs.length, sequence } };
  });
  if (inputs.some(({ kind }) => kind === 'broken')) {
    await transaction.flush();
    await sql
      .insertInto('leases')
      .values({ name: 'none', holder: 'none', expires_at: null as never })
      .execute();
  }
  return outcomes;
}

async function claimAlone(transaction: Transaction, input: ClaimKey): Promise<ClaimedKey> {
  const [outcome] = await claimAll(transaction, [input]);
  if ('error' in outcome!) throw outcome.error;
  return outcome!.output;
}

const set: SetForm<ClaimKey, ClaimedKey> = { readsFirst: true, weigh: ({ kind }) => (kind === 'heavy' ? 600 : 1), run: claimAll };

export const claimKey: typeof claimAlone & { readonly set: typeof set } = Object.assign(claimAlone, { set });
