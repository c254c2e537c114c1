import type { LogHead } from '../kernel/log/event.ts';
import type { Operations, Outcome, SetForm, Transaction, WriteOperation } from './DATABASE.ts';

// What waits for the log at the same time is run as sets, where the operation has a form for it: an operation of its
// own for each would make its own statements, and on PostgreSQL each of these is a journey.

/** An operation that waits. */
export interface Task {
  readonly name: string;
  readonly input: unknown;
}

/** What a set may weigh, unless it is of one input: some 50 ms of work. */
const setWeight = 1_000;
const setInputs = 256;

/**
 * Takes from the queue what is run next, of which there is at least one: the first, and where its operation has a set
 * form, those after it that wait for the same, wherever they are. `joins` gives undefined for what is run alone;
 * nothing is taken from behind that.
 */
export function takeSet<T>(queue: T[], operations: Operations, joins: (waiting: T) => Task | undefined): readonly T[] {
  const first = joins(queue[0]!);
  const form = first === undefined ? undefined : (operations.writes[first.name]?.set as SetForm<unknown, unknown> | undefined);
  if (first === undefined || form === undefined) return queue.splice(0, 1);
  const taken: T[] = [];
  const left: T[] = [];
  let weight = 0;
  let index = 0;
  for (; index < queue.length && taken.length < setInputs; index++) {
    const waiting = queue[index]!;
    const task = joins(waiting);
    if (task === undefined) break;
    if (task.name !== first.name) {
      left.push(waiting);
      continue;
    }
    weight += form.weigh(task.input);
    if (taken.length > 0 && weight > setWeight) break;
    taken.push(waiting);
  }
  queue.splice(0, index, ...left);
  return taken;
}

/**
 * Runs `body` on top of a head, or undoes all of it; what follows continues with the head that it gives. Throws only
 * when the whole transaction is lost. After `isLast` nothing follows of the same set.
 */
export type InSavepoint = <R>(
  head: LogHead,
  body: (transaction: Transaction) => Promise<R>,
  isLast: boolean,
) => Promise<{ readonly head: LogHead; readonly outcome: Outcome<R> }>;

/**
 * Runs inputs of one operation: at once where it can be, and where that fails each alone, so that its outcome is its
 * own.
 */
export async function runSet(
  operation: WriteOperation,
  inputs: readonly unknown[],
  head: LogHead,
  inSavepoint: InSavepoint,
): Promise<{ readonly head: LogHead; readonly outcomes: readonly Outcome<unknown>[] }> {
  const form = operation.set as SetForm<unknown, unknown> | undefined;
  let last = head;
  if (inputs.length > 1 && form !== undefined) {
    const run = async (transaction: Transaction): Promise<readonly Outcome<unknown>[]> => {
      const outcomes = await form.run(transaction, inputs);
      if (outcomes.length !== inputs.length) throw new TypeError(`a set of ${inputs.length} inputs has ${outcomes.length} outcomes`);
      return outcomes;
    };
    const ran = await inSavepoint(last, run, true);
    last = ran.head;
    if ('output' in ran.outcome) return { head: last, outcomes: ran.outcome.output };
  }
  const outcomes: Outcome<unknown>[] = [];
  for (const input of inputs) {
    const ran = await inSavepoint(last, (transaction) => operation(transaction, input as never), false);
    last = ran.head;
    outcomes.push(ran.outcome);
  }
  return { head: last, outcomes };
}

/** What is run for a name that the table of operations does not have. */
export function unknownOperation(name: string): WriteOperation {
  return () => Promise.reject(new TypeError(`no writing operation is named ${name}`));
}
