import type { Outcome, SetForm, Snapshot, Transaction } from '../../src/database/DATABASE.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { decodeCbor } from '../../src/kernel/format/cbor.ts';
import { viewKeys } from '../../src/kernel/views/view.ts';
import { type RegistryOperations, operations as real } from '../../src/registry/operations/operations.ts';

export interface RunSet {
  readonly name: keyof RegistryOperations['writes'];
  readonly inputs: readonly unknown[];
}

/** Runs the set form of an operation over just these inputs; errors as plain values. */
async function runSet(transaction: Transaction, { name, inputs }: RunSet): Promise<readonly Outcome<unknown>[]> {
  const form = (real.writes[name] as { readonly set?: SetForm<unknown, unknown> }).set;
  if (form === undefined) throw new TypeError(`${name} has no set form`);
  const outcomes = await form.run(transaction, inputs);
  return outcomes.map((outcome) => ('error' in outcome ? { error: plainError(outcome.error) } : outcome));
}

/** Of a refusal; whatever else is thrown is no outcome. */
export function plainError(error: unknown): object {
  if (!isArtifactstoreError(error) || error.code === 'internal') throw error;
  const { code, message, field, info } = error;
  return { code, message, field, info };
}

const otherTables = ['idempotency_keys', 'held_objects', 'dead_keys', 'block_digests'] as const;

/** The log with its payloads, all views and what operations keep beside them. */
async function dumpAll({ sql }: Snapshot, _input: null): Promise<object> {
  const events = await sql.selectFrom('events').selectAll().orderBy('sequence').execute();
  const dump: Record<string, unknown> = {
    events: events.map(({ payload, payload_digest: _payload, chain_digest: _chain, ...event }) => ({
      ...event,
      payload: decodeCbor(payload),
    })),
  };
  for (const table of [...Object.keys(viewKeys), ...otherTables])
    dump[table] = await sql
      .selectFrom(table as 'events')
      .selectAll()
      .execute();
  return dump;
}

export interface OperationsWithSets extends RegistryOperations {
  readonly writes: RegistryOperations['writes'] & { readonly 'test.set': typeof runSet };
  readonly reads: RegistryOperations['reads'] & { readonly 'test.dump': typeof dumpAll };
}

/** The registry's operations, one that runs a set of another, and one that shows all that a set may change. */
export const operations: OperationsWithSets = {
  writes: { ...real.writes, 'test.set': runSet },
  reads: { ...real.reads, 'test.dump': dumpAll },
};
