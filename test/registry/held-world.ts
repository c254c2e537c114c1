import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { heldIn } from '../../src/compose/open-store.ts';
import type { Database } from '../../src/database/DATABASE.ts';
import { openSqlite } from '../../src/database/sqlite/sqlite.ts';
import type { DataPlane } from '../../src/dataplane/DATAPLANE.ts';
import { openDataPlane } from '../../src/dataplane/streaming.ts';
import { administrator } from '../../src/kernel/access.ts';
import type { RegistryParts, Settler } from '../../src/registry/context.ts';
import { createRegistry, type LocalRegistry } from '../../src/registry/local.ts';
import type { HeldName, ListHeld } from '../../src/registry/operations/held.ts';
import type { RegistryOperations } from '../../src/registry/operations/operations.ts';
import { operationsUrl } from '../../src/registry/operations/url.ts';
import type { File, Registry } from '../../src/registry/REGISTRY.ts';
import type { Incident } from '../../src/registry/upkeep/OPERATOR.ts';
import { openMemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/STORAGE.ts';
import { removeFolder } from '../remove-folder.ts';
import { usualParts } from './usual-parts.ts';

/** A registry that holds small files, over SQLite and a backend in memory. */
export interface HeldWorld extends AsyncDisposable {
  readonly storage: Storage;
  readonly database: Database<RegistryOperations>;
  readonly dataplane: DataPlane;
  /** Without a settler: the test says when it settles. */
  readonly registry: LocalRegistry;
  readonly user: Registry;
  readonly incidents: readonly Incident[];
  readonly parts: RegistryParts;
  /** Another registry over the same database and storage, as another process. */
  over(parts: Partial<RegistryParts>): LocalRegistry;
  newPackage(): Promise<string>;
  add(packageId: string, path: string, bytes: Uint8Array): Promise<File>;
  read(packageId: string, path: string): Promise<Buffer>;
  held(): readonly string[];
  /** Settles all that is held. */
  settle(): Promise<void>;
  stored(): Promise<readonly string[]>;
  /** Does something to the database by hand. */
  run(statement: string): void;
}

export const nobody: Settler = {
  wake: () => undefined,
  watch: () => undefined,
  noteWrite: () => undefined,
  isFull: () => false,
  drain: async () => undefined,
  close: () => undefined,
};

export const everything: ListHeld = { backend_id: null, after: 0, through: Number.MAX_SAFE_INTEGER, limit: 1000 };

/** The names of all that a world holds. */
export const namesOf = (world: HeldWorld): Promise<readonly HeldName[]> => world.database.read('held.list', everything);

export async function openHeldWorld(
  options: { readonly storage?: (memory: Storage) => Storage; readonly parts?: Partial<RegistryParts> } = {},
): Promise<HeldWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'artifactstore-'));
  const path = join(directory, 'artifactstore.db');
  const memory = openMemoryStorage({ id: 'memory' });
  const storage = options.storage?.(memory) ?? memory;
  const database = await openSqlite<RegistryOperations>({ path, operations: { url: operationsUrl }, migrate: true });
  const dataplane = openDataPlane({
    backends: new Map([['memory', storage]]),
    spoolDirectory: join(directory, 'spool'),
    held: heldIn(database),
    hashThreads: 0,
  });
  const views = new DatabaseSync(path);
  const incidents: Incident[] = [];
  const onIncident = (incident: Incident) => incidents.push(incident);
  const parts: RegistryParts = {
    ...usualParts('memory'),
    database,
    dataplane,
    hold: { longestBytes: 65_536, totalBytes: 1_048_576 },
    settler: nobody,
    onIncident,
  };
  const over: HeldWorld['over'] = (changed) => createRegistry({ ...parts, ...changed });
  const registry = over(options.parts ?? {});
  const user = registry.as(administrator('user'));
  return {
    storage,
    database,
    dataplane,
    registry,
    user,
    incidents,
    parts,
    over,
    async newPackage() {
      return (await user.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' })).record.id;
    },
    async add(packageId, relative_path, bytes) {
      async function* body() {
        yield bytes;
      }
      return (await user.files.add(packageId, { relative_path, body: body() })).record;
    },
    async read(package_id, relative_path) {
      const opened = await user.files.open({ package_id, relative_path });
      return Buffer.concat(await Array.fromAsync(opened!.body));
    },
    held: () =>
      views
        .prepare('select object_key from held_objects order by sequence')
        .all()
        .map((row) => String(row.object_key)),
    async settle() {
      await registry.operator.settleHeld();
    },
    async stored() {
      return (await Array.fromAsync(memory.list(''))).map(({ key }) => key).sort();
    },
    run: (statement) => views.exec(statement),
    async [Symbol.asyncDispose]() {
      await registry.settle();
      await registry.close();
      views.close();
      await database.close();
      await dataplane.close();
      await removeFolder(directory);
    },
  };
}
