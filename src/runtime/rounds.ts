/**
 * Lets tasks run in rounds: a task that comes while a round is under way waits for the next, which begins as soon as
 * this one is over and takes all who wait. Idle, a task starts at once. One fsync makes a journal durable for everybody
 * who wrote before it, so tasks that end in an fsync are cheaper together than one after the other.
 */
export type Rounds = (task: () => Promise<void>) => Promise<void>;

export function createRounds(): Rounds {
  let waiting: (() => Promise<unknown>)[] = [];
  let running = false;

  async function run(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      const round = waiting;
      waiting = [];
      await Promise.all(round.map((start) => start()));
    }
    running = false;
  }

  return (task) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.push(() => task().then(resolve, reject));
    if (!running) void run();
    return promise;
  };
}
