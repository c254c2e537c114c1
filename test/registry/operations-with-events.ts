import type { Transaction } from '../../src/database/DATABASE.ts';
import type { NewEvent } from '../../src/kernel/log/event.ts';
import { type RegistryOperations, operations as real } from '../../src/registry/operations/operations.ts';

async function appendAll(transaction: Transaction, { events }: { readonly events: readonly NewEvent[] }): Promise<void> {
  for (const event of events) transaction.append(event);
}

export interface OperationsWithEvents extends RegistryOperations {
  readonly writes: RegistryOperations['writes'] & { readonly 'test.append': typeof appendAll };
}

/** The registry's operations, and one by which a test writes the log that it needs. */
export const operations: OperationsWithEvents = { ...real, writes: { ...real.writes, 'test.append': appendAll } };
