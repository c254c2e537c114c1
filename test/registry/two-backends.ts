import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBackup as openRealBackup } from '../../src/compose/open-backup.ts';
import { heldIn } from '../../src/compose/open-store.ts';
import type { Database } from '../../src/database/DATABASE.ts';
import { openDatabase } from '../../src/database/open.ts';
import type { DataPlane } from '../../src/dataplane/DATAPLANE.ts';
import { openDataPlane } from '../../src/dataplane/streaming.ts';
import type { Algorithm } from '../../src/kernel/content/digest.ts';
import type { RegistryParts } from '../../src/registry/context.ts';
import { createRegistry, type LocalRegistry } from '../../src/registry/local.ts';
import type { RegistryOperations } from '../../src/registry/operations/operations.ts';
import { operationsUrl } from '../../src/registry/operations/url.ts';
import type { File } from '../../src/registry/REGISTRY.ts';
import type { Incident } from '../../src/registry/upkeep/OPERATOR.ts';
import { openLocalStorage } from '../../src/storage/local/local.ts';
import type { Storage } from '../../src/storage/STORAGE.ts';
import { removeFolder } from '../remove-folder.ts';
import { nobody } from './held-world.ts';
import { usualParts } from './usual-parts.ts';

export type BackendId = 'near' | 'far';

/** A real registry over two directories: files of the producer `far` go to the backend `far`, all others to `near`. */
export interface TwoBackends extends LocalRegistry, AsyncDisposable {
  readonly directory: string;
  readonly database: Database<RegistryOperations>;
  readonly dataplane: DataPlane;
  readonly incidents: readonly Incident[];
  rootOf(backendId: BackendId): string;
  /** Of the location there that is not deleted. */
  pathOf(backendId: BackendId, file: File): string;
  /** The same registry with other parts. */
  over(changed: {
    readonly dataplane?: DataPlane;
    readonly database?: Database<RegistryOperations>;
    readonly openBackup?: RegistryParts['openBackup'];
    readonly quotaOf?: RegistryParts['quotaOf'];
    readonly now?: () => number;
    readonly uptime?: () => number;
  }): LocalRegistry;
  close(): Promise<void>;
}

export async function openTwoBackends(
  options: {
    readonly databaseUrl?: string;
    readonly digestAlgorithm?: Algorithm;
    readonly directory?: string;
    /** Small files are held, and not settled before the test does it. */
    readonly holds?: boolean;
  } = {},
): Promise<TwoBackends> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'artifactstore-')));
  const rootOf = (id: string) => join(directory, id);
  const backends = new Map<string, Storage>();
  for (const id of ['near', 'far'] as const) {
    await mkdir(rootOf(id), { recursive: true });
    backends.set(id, openLocalStorage({ id, root: rootOf(id) }));
  }
  const realDatabase = await openDatabase<RegistryOperations>(
    options.databaseUrl === undefined
      ? { kind: 'sqlite', path: join(directory, 'artifactstore.db') }
      : { kind: 'postgresql', url: options.databaseUrl },
    { operations: { url: operationsUrl }, migrate: true },
  );
  const digestAlgorithm = options.digestAlgorithm ?? 'blake3';
  const realPlane = openDataPlane({ backends, digestAlgorithm, hashThreads: 0, held: heldIn(realDatabase) });
  const holding = options.holds === true ? { hold: { longestBytes: 65_536, totalBytes: 1_048_576 }, settler: nobody } : {};
  const incidents: Incident[] = [];
  const over: TwoBackends['over'] = ({
    dataplane = realPlane,
    database = realDatabase,
    now = Date.now,
    uptime = () => performance.now(),
    openBackup = openRealBackup,
    quotaOf = () => undefined,
  }) =>
    createRegistry({
      ...usualParts('near', 'far'),
      ...holding,
      database,
      dataplane,
      routeBackend: (producer) => (producer === 'far' ? 'far' : 'near'),
      quotaOf,
      retentionClasses: [
        { slug: 'transient', default_duration_seconds: null },
        { slug: 'blink', default_duration_seconds: 1 },
      ],
      now,
      uptime,
      openBackup,
      onIncident: (incident) => incidents.push(incident),
    });
  const registry = over({});
  const close = async () => {
    await registry.settle();
    await realDatabase.close();
    await realPlane.close();
    if (options.directory === undefined) await removeFolder(directory);
  };
  return {
    ...registry,
    directory,
    database: realDatabase,
    dataplane: realPlane,
    incidents,
    rootOf,
    pathOf(backendId, file) {
      const location = file.locations.find(({ backend_id, state }) => backend_id === backendId && state !== 'deleted');
      if (location === undefined) throw new Error(`${file.relative_path} is not in ${backendId}`);
      return join(rootOf(backendId), location.object_key);
    },
    over,
    close,
    [Symbol.asyncDispose]: close,
  };
}
