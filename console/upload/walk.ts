/** How a tree is read that answers only when it is asked, such as what was dropped on a page. */
export interface Walked<Entry, Result> {
  /** Reads children of a folder, some with each call and none at the end; undefined for what is no folder. */
  open(entry: Entry): (() => Promise<readonly Entry[]>) | undefined;
  read(entry: Entry): Promise<Result>;
  /** Of a folder without children. */
  empty(entry: Entry): Result;
  /** Of what could not be read: a file, or the rest of a folder. */
  failed(entry: Entry, error: unknown): Result;
}

/** What stands in the place of an entry: its result, or those of its children in their order. */
interface Slot<Result> {
  result?: Result;
  children?: Slot<Result>[];
}

type Task = () => Promise<void>;

/**
 * Results in the order of the tree, each folder's where the folder is, with at most `atOnce` questions under way. What
 * was found last is read first, and a folder is asked for more only when what it gave is read: so few entries wait,
 * however many there are.
 */
export async function walk<Entry, Result>(
  roots: readonly Entry[],
  walked: Walked<Entry, Result>,
  atOnce: number,
): Promise<readonly Result[]> {
  const top: Slot<Result>[] = [];
  const waiting: Task[] = [];
  const tasksOf = (entries: readonly Entry[], into: Slot<Result>[]): void => {
    const tasks = entries.map((entry) => {
      const slot: Slot<Result> = {};
      into.push(slot);
      return taskOf(entry, slot);
    });
    for (const task of tasks.reverse()) waiting.push(task);
  };
  const taskOf = (entry: Entry, slot: Slot<Result>): Task => {
    const failed = (into: Slot<Result>, error: unknown): void => {
      into.result = walked.failed(entry, error);
    };
    const next = walked.open(entry);
    if (next === undefined)
      return async () => {
        await walked.read(entry).then(
          (result) => {
            slot.result = result;
          },
          (error: unknown) => failed(slot, error),
        );
      };
    const children: Slot<Result>[] = [];
    slot.children = children;
    const more: Task = async () => {
      try {
        const some = await next();
        if (some.length > 0) {
          waiting.push(more);
          tasksOf(some, children);
        } else if (children.length === 0) children.push({ result: walked.empty(entry) });
      } catch (error) {
        const rest: Slot<Result> = {};
        children.push(rest);
        failed(rest, error);
      }
    };
    return more;
  };
  tasksOf(roots, top);
  await runAll(waiting, atOnce);
  return flat(top);
}

/** Runs tasks, and those that they leave behind, the last first. */
async function runAll(waiting: Task[], atOnce: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let running = 0;
    const start = (): void => {
      while (running < atOnce) {
        const task = waiting.pop();
        if (task === undefined) break;
        running += 1;
        task().then(() => {
          running -= 1;
          start();
        }, reject);
      }
      if (running === 0) resolve();
    };
    start();
  });
}

function flat<Result>(top: readonly Slot<Result>[]): readonly Result[] {
  const results: Result[] = [];
  const left = [...top].reverse();
  for (let slot = left.pop(); slot !== undefined; slot = left.pop()) {
    if (slot.children === undefined) results.push(slot.result!);
    else for (const child of slot.children.reverse()) left.push(child);
  }
  return results;
}
