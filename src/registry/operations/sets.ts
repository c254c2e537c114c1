import type { Outcome, SetForm, Transaction } from '../../database/DATABASE.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';

export type SetOperation<I, O> = ((transaction: Transaction, input: I) => Promise<O>) & { readonly set: SetForm<I, O> };

/** An operation that is stated once, for a set of inputs: one alone is a set of one. */
export function inSets<I, O>(form: SetForm<I, O>): SetOperation<I, O> {
  const alone = async (transaction: Transaction, input: I): Promise<O> => {
    const [outcome] = await form.run(transaction, [input]);
    if (outcome === undefined) throw new TypeError('a set of one input has no outcome');
    if ('error' in outcome) throw outcome.error;
    return outcome.output;
  };
  return Object.assign(alone, { set: form });
}

/**
 * Decides about each input in turn, on what was read for all of them; what one decision changes of that, `decide` notes
 * there for those after it. It refuses an input before it appends anything for it: what is in the log stays there.
 */
export async function decideEach<I, O>(
  transaction: Transaction,
  inputs: readonly I[],
  decide: (transaction: Transaction, input: I) => O | Promise<O>,
): Promise<readonly Outcome<O>[]> {
  const outcomes: Outcome<O>[] = [];
  for (const input of inputs) {
    let changed = false;
    const own: Transaction = {
      ...transaction,
      append(event) {
        changed = true;
        return transaction.append(event);
      },
      insert(table, row) {
        changed = true;
        transaction.insert(table, row);
      },
    };
    try {
      outcomes.push({ output: await decide(own, input) });
    } catch (error) {
      // Anything but a refusal ends the set, and each input is run alone.
      if (changed || !(error instanceof ArtifactstoreError)) throw error;
      outcomes.push({ error });
    }
  }
  return outcomes;
}

/** How much of a set these texts and bytes are. */
export function weightOf(bytes: number): number {
  return bytes / 4_096;
}

/** Each value once, for a list in a statement. */
export function distinct(values: readonly string[]): readonly string[] {
  return filled([...new Set(values)]);
}

/**
 * A list for a statement, filled up to a power of two with its first value: a database that keeps prepared statements
 * has few to keep.
 */
export function filled<T>(values: readonly T[]): readonly T[] {
  const length = values.length === 0 ? 0 : 2 ** Math.ceil(Math.log2(values.length));
  return [...values, ...Array.from({ length: length - values.length }, () => values[0]!)];
}
