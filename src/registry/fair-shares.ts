import type { Database } from '../database/DATABASE.ts';
import type { Scope } from '../kernel/access.ts';
import type { JsonObject, JsonValue } from '../kernel/format/json.ts';
import { createFairTurns, type FairTurns } from '../runtime/fair-turns.ts';
import { keepRecent } from '../runtime/keep-recent.ts';
import { limits } from './limits.ts';
import type { RegistryOperations } from './operations/operations.ts';
import type { PreparedSealing } from './operations/sealing.ts';

type RegistryDatabase = Database<RegistryOperations>;

/**
 * Work of one item weighs 1 and takes about 0.1 ms. What is sent to the database ahead of its answers lets many share a
 * commit; it is also what somebody else waits for in the worst case.
 */
const room = 512;
/** Enough for the rounds in which files become durable together; also what a file of somebody else waits for. */
const filesAtOnce = 96;
/**
 * Of an object that is read a mebibyte is in memory, or less where it is shorter. Nobody waits for those of others:
 * some take hours.
 */
const heldOfObject = 1_048_576;
const storedUnit = 32_768;
const storedRoom = 512;
const dayMilliseconds = 86_400_000;
const keptPrincipals = 1_000;
const { waitingOfOne, waitMilliseconds } = limits;

/** What a request that was begun must be able to end with: it is not many, and no one is served by refusing it. */
const endings: ReadonlySet<string> = new Set(['object.burn', 'object.fail', 'object.repair', 'object.clear']);

/** What is scarce, shared in turns by those it is used for: whoever asks for much does not keep others waiting. */
export interface FairShares {
  /** The database as one principal may use it. */
  databaseOf(principal: string): RegistryDatabase;
  /** Turns for what holds much memory. */
  readonly large: FairTurns;
  /** Reads stored bytes of this length to keep them elsewhere: as many of a principal at once as its memory takes. */
  takeStored<T>(principal: string, bytes: number, work: () => Promise<T>): Promise<T>;
  /**
   * Turns for making a short file durable whose bytes are in memory: none waits for a sender, nor for another backend.
   */
  filesOf(backendId: string): FairTurns;
}

export function createFairShares(database: RegistryDatabase): FairShares {
  const bounds = { room, waitingOfOne, waitMilliseconds };
  const writes = createFairTurns({ what: 'writes', ...bounds });
  const files = new Map<string, FairTurns>();
  const reads = createFairTurns({ what: 'reads', ...bounds });
  const stored = keepRecent<FairTurns>(keptPrincipals);
  return {
    filesOf(backendId) {
      const known = files.get(backendId) ?? createFairTurns({ what: 'files', ...bounds, room: filesAtOnce });
      files.set(backendId, known);
      return known;
    },
    large: createFairTurns({ what: 'sealings of large packages', room: 1, waitingOfOne: 100, waitMilliseconds: 120_000 }),
    takeStored: (principal, bytes, work) =>
      stored
        .get(principal, () =>
          createFairTurns({ what: 'objects to be copied', room: storedRoom, waitingOfOne, waitMilliseconds: dayMilliseconds }),
        )
        .take(principal, Math.ceil(Math.min(Math.max(bytes, 1), heldOfObject) / storedUnit), work),
    databaseOf: (principal) => ({
      ...database,
      write: (name, input) =>
        endings.has(name) ? database.write(name, input) : writes.take(principal, weightOf(input), () => database.write(name, input)),
      read: (name, input) => reads.take(principal, weightOf(input), () => database.read(name, input)),
    }),
  };
}

interface Sized {
  readonly items?: readonly unknown[];
  readonly addresses?: readonly unknown[];
  readonly objects?: readonly unknown[] | boolean;
  readonly object_count?: number;
  readonly file_ids?: readonly string[];
  readonly relative_paths?: readonly string[];
  readonly scope?: Scope;
  readonly limit?: number;
  readonly span?: number;
  readonly sequences?: readonly number[];
  readonly prepared?: Pick<PreparedSealing, 'file_count'> | null;
  readonly package?: { readonly metadata: JsonObject };
}

/** Of metadata, what takes as long as a weight of 1: so many values that are no row of an index, or so much text. */
const valuesOfWeight = 50;
const charactersOfWeight = 20_000;

/** What is looked at for a page of which others' packages or files are left out. */
const lookedThrough = 20;

/** What grows with its input says how much there is of it. */
export function weightOf(input: unknown): number {
  const { items, addresses, objects, scope = 'everything', prepared, package: created } = input as Sized;
  const written = items ?? addresses ?? (Array.isArray(objects) ? objects : undefined);
  if (written !== undefined) return Math.max(written.length, 1);
  return (
    (scope === 'everything' ? 1 : lookedThrough) +
    Math.ceil(rowsOf(input as Sized) / 20) +
    Math.ceil((prepared?.file_count ?? 0) / 50) +
    Math.ceil(created === undefined ? 0 : weightOfMetadata(created.metadata))
  );
}

/** What is looked up, or goes by one statement. */
function rowsOf({ limit = 0, span = 0, sequences = [], file_ids = [], relative_paths = [], object_count = 0 }: Sized): number {
  return Math.max(limit, span, sequences.length, file_ids.length, relative_paths.length, object_count);
}

/** Counted up to the whole room: more does not weigh more. */
function weightOfMetadata(metadata: JsonObject): number {
  return Math.min(Object.keys(metadata).length / 10 + weightOfValue(metadata, room), room);
}

function weightOfValue(value: JsonValue, most: number): number {
  if (typeof value === 'string') return value.length / charactersOfWeight;
  if (typeof value !== 'object' || value === null) return 0;
  let weight = 0;
  // The members of a long object are not listed to look at some of them.
  for (const name in value) {
    if (weight >= most) break;
    weight += 1 / valuesOfWeight + weightOfValue((value as JsonObject)[name]!, most - weight);
  }
  return weight;
}
