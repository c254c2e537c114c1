import type { Transaction } from '../../database/DATABASE.ts';
import { secondsAfter } from '../../kernel/time.ts';

export interface TakeLease {
  readonly name: string;
  /** Who takes it; the holder that has it may take it again, which prolongs it. */
  readonly holder: string;
  readonly seconds: number;
}

/**
 * Takes a lease that is free, over, or one's own; false when somebody else holds it. One that ends later than a lease
 * of this length could was written by a clock that was ahead, and is not waited for.
 */
export async function takeLease(transaction: Transaction, input: TakeLease): Promise<boolean> {
  const current = await transaction.sql.selectFrom('leases').selectAll().where('name', '=', input.name).executeTakeFirst();
  const end = secondsAfter(transaction.now, input.seconds);
  const held = current !== undefined && current.expires_at > transaction.now && current.expires_at <= end;
  if (held && current.holder !== input.holder) return false;
  const row = { holder: input.holder, expires_at: end };
  await transaction.sql
    .insertInto('leases')
    .values({ name: input.name, ...row })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
    .execute();
  return true;
}

/** Gives a lease back before its time; one that somebody else holds by now is left alone. */
export async function releaseLease(transaction: Transaction, input: { readonly name: string; readonly holder: string }): Promise<void> {
  await transaction.sql.deleteFrom('leases').where('name', '=', input.name).where('holder', '=', input.holder).execute();
}
