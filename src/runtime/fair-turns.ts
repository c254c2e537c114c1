import { ArtifactstoreError } from '../kernel/error.ts';

/**
 * Work that waits for something scarce, each piece with the principal it is done for. Who has much waiting does not
 * keep others waiting: principals take turns, each with the piece that waits longest of its own. Those that are an
 * address and nobody else (`isAddress`) have one place among the others, in which they take turns.
 */
export interface FairTurns {
  /**
   * Does the work when its turn comes; at once where there is room and nobody waits. `weight` is how much of the room
   * it takes. Errors: the work's own; `too_busy`, with the bound in `info`, when the work was not begun.
   */
  take<T>(principal: string, weight: number, work: () => Promise<T>): Promise<T>;
}

export interface TurnBounds {
  /** What is asked for, as it stands in a refusal: "writes". */
  readonly what: string;
  /** The room: what is under way at once weighs no more, except for a single piece that weighs more by itself. */
  readonly room: number;
  /** Pieces of one principal that wait. */
  readonly waitingOfOne: number;
  /** The longest that a piece waits. */
  readonly waitMilliseconds: number;
}

interface Waiting {
  readonly weight: number;
  readonly until: number;
  readonly begin: () => Promise<unknown>;
  readonly refuse: (error: unknown) => void;
}

/** Whoever has many addresses has no more of what is scarce than somebody with a name. */
export function isAddress(principal: string): boolean {
  return principal.startsWith('address ');
}

const allAddresses = 'address';

export function createFairTurns(bounds: TurnBounds): FairTurns {
  /** What waits of each principal, by its place; the place, and the principal in it, whose turn is next come first. */
  const places = new Map<string, Map<string, Waiting[]>>();
  let underWay = 0;
  let timer: NodeJS.Timeout | undefined;

  const start = ({ weight, begin }: Waiting): void => {
    underWay += weight;
    void begin().finally(() => {
      underWay -= weight;
      next();
    });
  };

  /** Whose turn it is waits for room, and all others behind it: work that needs much would else never find it. */
  const next = (): void => {
    for (const [place, queues] of places) {
      const [principal, queue] = queues.entries().next().value!;
      const first = queue[0]!;
      if (underWay > 0 && underWay + first.weight > bounds.room) return;
      queue.shift();
      queues.delete(principal);
      if (queue.length > 0) queues.set(principal, queue);
      places.delete(place);
      if (queues.size > 0) places.set(place, queues);
      start(first);
    }
  };

  /** One timer for all: what waits longest of each principal is the first of its queue. */
  const refuseLate = (): void => {
    timer = undefined;
    const now = performance.now();
    for (const [place, queues] of places) {
      for (const [principal, queue] of queues) {
        while (queue[0] !== undefined && queue[0].until <= now) queue.shift()!.refuse(tooLong(bounds));
        if (queue.length === 0) queues.delete(principal);
      }
      if (queues.size === 0) places.delete(place);
    }
    watch();
    next();
  };
  const watch = (): void => {
    if (timer !== undefined || places.size === 0) return;
    let soonest = Number.POSITIVE_INFINITY;
    for (const queues of places.values()) for (const [first] of queues.values()) soonest = Math.min(soonest, first!.until);
    timer = setTimeout(refuseLate, Math.max(soonest - performance.now(), 1)).unref();
  };

  return {
    take: (principal, weight, work) =>
      new Promise((resolve, reject) => {
        const piece: Waiting = {
          weight,
          until: performance.now() + bounds.waitMilliseconds,
          begin: async () => {
            try {
              resolve(await work());
            } catch (error) {
              reject(error);
            }
          },
          refuse: reject,
        };
        if (places.size === 0 && (underWay === 0 || underWay + weight <= bounds.room)) return start(piece);
        const place = isAddress(principal) ? allAddresses : principal;
        const queues = places.get(place) ?? new Map<string, Waiting[]>();
        places.set(place, queues);
        const queue = queues.get(principal);
        if (queue === undefined) queues.set(principal, [piece]);
        else if (queue.length >= bounds.waitingOfOne) return reject(tooMany(bounds));
        else queue.push(piece);
        watch();
      }),
  };
}

function tooMany({ what, waitingOfOne: limit }: TurnBounds): ArtifactstoreError {
  return new ArtifactstoreError(
    'too_busy',
    `${limit} ${what} of this caller wait already, which is as many as may; ask again when some of them are answered.`,
    { info: { bound: 'waiting_of_one', limit } },
  );
}

function tooLong({ what, waitMilliseconds, waitingOfOne: limit }: TurnBounds): ArtifactstoreError {
  return new ArtifactstoreError(
    'too_busy',
    `The turn of this caller's ${what} did not come within ${waitMilliseconds / 1000} seconds; ask again later, and less at a time.`,
    { info: { bound: 'waiting_of_one', limit, wait_milliseconds: waitMilliseconds } },
  );
}
