import { DatabaseSync } from 'node:sqlite';
import { heldIn } from '../../src/compose/open-store.ts';
import type { Database } from '../../src/database/DATABASE.ts';
import { openSqlite } from '../../src/database/sqlite/sqlite.ts';
import type { DataPlane } from '../../src/dataplane/DATAPLANE.ts';
import { openDataPlane } from '../../src/dataplane/streaming.ts';
import type { RegistryParts } from '../../src/registry/context.ts';
import { createRegistry, type LocalRegistry } from '../../src/registry/local.ts';
import type { RegistryOperations } from '../../src/registry/operations/operations.ts';
import { operationsUrl } from '../../src/registry/operations/url.ts';
import { openMemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/STORAGE.ts';
import { nobody } from './held-world.ts';
import type { Interleaver } from './interleaver.ts';
import { usualParts } from './usual-parts.ts';

export interface World extends AsyncDisposable {
  readonly storage: Storage;
  readonly database: Database<RegistryOperations>;
  readonly dataplane: DataPlane;
  objects(): readonly {
    readonly object_key: string;
    readonly content_address: string;
    readonly state: string;
    readonly live_generation: number;
  }[];
  /** The keys of what is held. */
  held(): ReadonlySet<string>;
  readonly forgetsEarly: boolean;
}

/** Keys that were handed to a delete: it may come at any time, and again. */
export type Doomed = Set<string>;

/** `keyOf` says where the bytes of a key really lie. */
export async function openWorld(
  path: string,
  changed: { readonly keyOf?: (key: string) => string; readonly operations?: URL; readonly forgetsEarly?: boolean } = {},
): Promise<World> {
  const keyOf = changed.keyOf ?? ((key: string) => key);
  const memory = openMemoryStorage({ id: 'memory' });
  const storage: Storage = {
    ...memory,
    put: (key, source, options) => memory.put(keyOf(key), source, options),
    get: (key, options) => memory.get(keyOf(key), options),
    head: (key, options) => memory.head(keyOf(key), options),
    delete: (key, options) => memory.delete(keyOf(key), options),
  };
  const database = await openSqlite<RegistryOperations>({ path, operations: { url: changed.operations ?? operationsUrl }, migrate: true });
  const held = heldIn(database);
  const dataplane = openDataPlane({ backends: new Map([['memory', storage]]), spoolDirectory: `${path}-spool`, held });
  const views = new DatabaseSync(path, { readOnly: true });
  const objects = views.prepare("select * from storage_objects where state <> 'none'");
  const heldKeys = views.prepare('select object_key from held_objects');
  return {
    storage,
    database,
    dataplane,
    objects: () => objects.all() as unknown as ReturnType<World['objects']>,
    forgetsEarly: changed.forgetsEarly === true,
    held: () => new Set(heldKeys.all().map(({ object_key }) => String(object_key))),
    async [Symbol.asyncDispose]() {
      views.close();
      await database.close();
      await dataplane.close();
    },
  };
}

export type Parts = Pick<RegistryParts, 'database' | 'dataplane' | 'onIncident'>;

export const onIncident: RegistryParts['onIncident'] = ({ message, error }) => {
  throw new Error(message, { cause: error });
};

/** The parts of the real registry, every call to database, disk and backend a step of the interleaver. */
export function gatedParts({ database, dataplane }: World, interleaver: Interleaver, doomed: Doomed): Parts {
  return {
    onIncident,
    database: {
      ...database,
      write: (name, input) => interleaver.gate(`write ${name}`, () => database.write(name, input)),
      read: (name, input) => interleaver.gate(`read ${name}`, () => database.read(name, input)),
    },
    dataplane: {
      ...dataplane,
      stage: (...input) => interleaver.gate('stage', () => dataplane.stage(...input)),
      publish: (draft, key) => interleaver.gate(`publish ${key}`, () => dataplane.publish(draft, key)),
      discard: (draft) => interleaver.gate('discard', () => dataplane.discard(draft)),
      settle: (backendId, key, bytes) => interleaver.gate(`settle ${key}`, () => dataplane.settle(backendId, key, bytes)),
      remove(backendId, key) {
        doomed.add(key);
        return interleaver.gate(`remove ${key}`, () => dataplane.remove(backendId, key));
      },
      reclaimDrafts: (...input) => interleaver.gate('reclaim drafts', () => dataplane.reclaimDrafts(...input)),
      async *list(backendId) {
        yield* await interleaver.gate('list', () => Array.fromAsync(dataplane.list(backendId)));
      },
    },
  };
}

export function registryOf(parts: Parts, holds = false): LocalRegistry {
  return createRegistry({
    ...usualParts('memory'),
    ...parts,
    ...(holds ? { hold: { longestBytes: 100, totalBytes: 10_000 } } : {}),
    // The test's own chains settle.
    settler: nobody,
  });
}
