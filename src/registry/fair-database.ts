import type { Database } from '../database/DATABASE.ts';
import { createFairTurns, type FairTurns } from '../runtime/fair-turns.ts';
import { limits } from './limits.ts';
import type { RegistryOperations } from './operations/operations.ts';

type RegistryDatabase = Database<RegistryOperations>;

/**
 * Work of one item weighs 1 and takes about 0.1 ms. What is sent to the database ahead of its answers lets many share a
 * commit; it is also what somebody else waits for in the worst case.
 */
const room = 512;
const { waitingOfOne, waitMilliseconds } = limits;

/** What a request that was begun must be able to end with: it is not many, and no one is served by refusing it. */
const endings: ReadonlySet<string> = new Set(['object.burn', 'object.fail', 'object.repair', 'object.clear']);

/** The database as one principal may use it: whoever asks for much shares it in turns with all others. */
export interface FairDatabase {
  as(principal: string): RegistryDatabase;
  /** Turns for what reads in another way than through `as`. */
  readonly reads: FairTurns;
  /** Turns for what holds much memory. */
  readonly large: FairTurns;
}

export function createFairDatabase(database: RegistryDatabase): FairDatabase {
  const bounds = { room, waitingOfOne, waitMilliseconds };
  const writes = createFairTurns({ what: 'writes', ...bounds });
  const reads = createFairTurns({ what: 'reads', ...bounds });
  return {
    reads,
    large: createFairTurns({ what: 'sealings of large packages', room: 2, waitingOfOne: 100, waitMilliseconds: 120_000 }),
    as: (principal) => ({
      ...database,
      write: (name, input) =>
        endings.has(name) ? database.write(name, input) : writes.take(principal, weightOf(input), () => database.write(name, input)),
      read: (name, input) => reads.take(principal, weightOf(input), () => database.read(name, input)),
    }),
  };
}

interface Sized {
  readonly items?: readonly unknown[];
  readonly limit?: number;
  readonly prepared?: { readonly fileCount: number } | null;
  readonly package?: { readonly metadata: object };
}

/** What grows with its input says how much there is of it. */
function weightOf(input: unknown): number {
  const { items, limit = 0, prepared, package: created } = input as Sized;
  if (items !== undefined) return Math.max(items.length, 1);
  return (
    1 + Math.ceil(limit / 20) + Math.ceil((prepared?.fileCount ?? 0) / 50) + Math.ceil(Object.keys(created?.metadata ?? {}).length / 10)
  );
}
