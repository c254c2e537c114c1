import { randomBytes } from 'node:crypto';
import type { BackendConfig, Config } from '../config/config.ts';
import { openCredentials } from '../credentials/open.ts';
import type { OnUnread } from '../credentials/unread.ts';
import type { Database } from '../database/DATABASE.ts';
import { openDatabase } from '../database/open.ts';
import type { HeldBytes } from '../dataplane/DATAPLANE.ts';
import { openDataPlane } from '../dataplane/streaming.ts';
import { administrator, type Principal, type Quota } from '../kernel/access.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { camelCase } from '../kernel/format/letter-case.ts';
import { uuidv7 } from '../kernel/id.ts';
import { formatTimestamp } from '../kernel/time.ts';
import { incident } from '../registry/incident.ts';
import { createRegistry } from '../registry/local.ts';
import type { RegistryOperations } from '../registry/operations/operations.ts';
import { operationsUrl } from '../registry/operations/url.ts';
import type { Registry } from '../registry/REGISTRY.ts';
import type { Incident, Operator } from '../registry/upkeep/OPERATOR.ts';
import { requireReferences } from '../secrets/check/references.ts';
import { openSecrets } from '../secrets/open.ts';
import type { Secrets } from '../secrets/SECRETS.ts';
import { guardStorage } from '../storage/guarded.ts';
import { type BackendKind, type BackendParts, kindOf, type StoreName } from '../storage/kind.ts';
import { backendKinds } from '../storage/kinds.ts';
import type { Storage } from '../storage/STORAGE.ts';
import { version } from '../version.ts';
import { requireOutsideStores } from './apart.ts';
import { createUptime } from './uptime.ts';

/** A registry that is open: the parts put together as the configuration says. */
export interface Store extends AsyncDisposable {
  /** The registry as this principal may see and change it. A name alone may do everything. */
  as(principal: Principal | string): Registry;
  readonly operator: Operator;
  /** Waits for clean-up under way, then closes everything. Twice is once. */
  close(): Promise<void>;
}

export type StoreConfig = Pick<
  Config,
  | 'database'
  | 'digestAlgorithm'
  | 'backends'
  | 'defaultBackend'
  | 'routes'
  | 'spoolDirectory'
  | 'misplaced'
  | 'referenced'
  | 'secrets'
  | 'retention'
  | 'smallObjectBytes'
  | 'heldBytes'
  | 'uploadSeconds'
  | 'writeSessions'
>;

export interface StoreOptions {
  /** Brings the database's schema up to date first. Off, an out-of-date one answers `database_not_migrated`. */
  readonly migrate?: boolean;
  /**
   * `database`: no backend is opened, nor anything made for one; what needs bytes answers `storage_unavailable`.
   * Everything where absent.
   */
  readonly parts?: 'database' | 'all';
  /** The database is opened to be read and nothing is made; what would write answers `database_unavailable`. */
  readonly readOnly?: boolean;
  /** A database server that is not up yet is waited for so long. */
  readonly waitForDatabase?: { readonly milliseconds: number; onWaiting(reason: string): void };
  /** Whether all that backends will ask for is looked at first, and all that is wrong with it is one error. */
  readonly checkSecrets?: boolean;
  /**
   * False for a command that opens no write session: a backend that is not certified for giving addresses to senders
   * gives none then. True where absent, and such a backend is `invalid_configuration`.
   */
  readonly givesAddresses?: boolean;
  /** The kinds of backends that the configuration was read with; those of this package where absent. */
  readonly kinds?: readonly BackendKind[];
  /** How much a producer may have, asked at each write; no bound where absent. */
  readonly quotaOf?: (producer: string) => Quota | undefined;
  /** Told of what callers are not told in full; nowhere where absent. */
  readonly onIncident?: (incident: Incident) => void;
}

/**
 * A service that is started in `/` would keep its data in /var unasked and, started elsewhere another time, not find
 * it.
 */
export function refuseMisplaced({ misplaced }: StoreConfig, { parts }: Pick<StoreOptions, 'parts'>): void {
  const names = parts === 'database' ? misplaced.filter((name) => name.endsWith('DATABASE_URL')) : misplaced;
  const [field] = names;
  if (field === undefined) return;
  throw new ArtifactstoreError(
    'invalid_configuration',
    'The working directory is /, so a default path would be in a folder of ' +
      `the system: set ${names.join(' and ')}, or start in another directory.`,
    { field, info: { names } },
  );
}

/** Versions protect from mistakes and from stolen keys, so they are not deleted here: whose bucket it is decides. */
function bytesKept(place: string): ArtifactstoreError {
  const what = `${place} keeps versions: the bytes of what is deleted stay in it until a lifecycle rule ends them`;
  return new ArtifactstoreError('invalid_configuration', `${what} (docs/stores.md, "A bucket that keeps versions").`);
}

/** The backend, opened as its kind does. */
export function openBackend(
  backend: BackendConfig,
  config: Pick<StoreConfig, 'referenced' | 'secrets'>,
  kinds: readonly BackendKind[] = backendKinds,
  secrets: Secrets | undefined = storeOfSecrets(config),
  onUnread?: OnUnread,
  more: Pick<BackendParts, 'givesAddresses' | 'onBytesKept'> = { givesAddresses: false },
): Promise<Storage> {
  return kindOf(backend, kinds).open(backend, { ...credentialsFor(config, secrets, onUnread), ...more });
}

/** Where backends get their keys from. */
export function credentialsFor(
  config: Pick<StoreConfig, 'referenced' | 'secrets'>,
  secrets: Secrets | undefined,
  onUnread?: OnUnread,
): BackendParts {
  const { referenced: environment, secrets: vault } = config;
  return { credentials: (described, about) => openCredentials(described, { ...about, environment, secrets, vault, onUnread }) };
}

/** The store that `secret:` references are about; nothing is asked for before one of them is followed. */
export function storeOfSecrets({ referenced, secrets }: Pick<StoreConfig, 'referenced' | 'secrets'>): Secrets | undefined {
  const { store, auth, namespace } = secrets;
  return store === undefined ? undefined : openSecrets(store, { environment: referenced, auth, namespace });
}

/** The backend as this registry's own: see `storage/guarded.ts`. */
function guarded(
  storage: Storage,
  backend: BackendConfig,
  name: StoreName,
  database: Database<RegistryOperations>,
  onIncident: (incident: Incident) => void,
): Storage {
  const input = { backend_id: backend.id };
  return guardStorage(storage, {
    ...name,
    look: async (counted) => camelCase(await database.read('backend.look', { ...input, counted })),
    record: () => database.write('backend.record', input),
    now: () => formatTimestamp(Date.now()),
    onDoubt: (error) => onIncident(incident('backend_in_doubt', error, input)),
  });
}

/** Opens the parts in order and closes what was opened when one of them cannot be. */
export async function openStore(config: StoreConfig, options: StoreOptions = {}): Promise<Store> {
  refuseMisplaced(config, options);
  const { kinds = backendKinds } = options;
  await using opened = new AsyncDisposableStack();
  const secrets = storeOfSecrets(config);
  opened.defer(() => secrets?.close());
  if (options.checkSecrets === true && options.parts !== 'database')
    await requireReferences(
      config.backends.flatMap((backend) => kindOf(backend, kinds).secretReferences?.(backend) ?? []),
      config.referenced,
      secrets,
    );
  // Before the backends: it knows whose they are.
  const database = await openDatabase<RegistryOperations>(config.database, {
    operations: { url: operationsUrl, long: ['usage.count'] },
    migrate: options.migrate === true,
    readOnly: options.readOnly === true,
    ...(options.waitForDatabase === undefined ? {} : { wait: options.waitForDatabase }),
  });
  opened.defer(() => database.close());
  const onIncident = options.onIncident ?? (() => undefined);
  const backends = new Map<string, Storage>();
  for (const backend of options.parts === 'database' ? [] : config.backends) {
    const onUnread: OnUnread = ({ seconds, reason }) =>
      onIncident(incident('keys_unread', new ArtifactstoreError('secrets_unavailable', `${reason}.`), { backend_id: backend.id, seconds }));
    const storage = await openBackend(backend, config, kinds, secrets, onUnread, {
      givesAddresses: options.givesAddresses ?? true,
      onBytesKept: (place) => onIncident(incident('bytes_kept', bytesKept(place), { backend_id: backend.id })),
    });
    opened.defer(() => storage.close?.());
    backends.set(backend.id, guarded(storage, backend, kindOf(backend, kinds).nameOf(backend), database, onIncident));
  }
  const dataplane = openDataPlane({
    backends,
    spoolDirectory: config.spoolDirectory,
    digestAlgorithm: config.digestAlgorithm,
    held: heldIn(database),
  });
  opened.defer(() => dataplane.close());

  const registry = createRegistry({
    database,
    dataplane,
    defaultBackend: config.defaultBackend,
    routeBackend: (producer, retentionClass) =>
      config.routes.find((route) => matches(route.producer, producer) && matches(route.retentionClass, retentionClass))?.backendId ??
      config.defaultBackend,
    quotaOf: options.quotaOf ?? (() => undefined),
    retentionClasses: config.retention.classes,
    version,
    backendIds: [...backends.keys()],
    hold: { longestBytes: config.smallObjectBytes, totalBytes: config.heldBytes },
    unfinalizedSeconds: config.retention.unfinalizedSeconds,
    uploadSeconds: config.uploadSeconds,
    writeSessions: config.writeSessions,
    openBackup: async (directory, access) => {
      if (access.write) await requireOutsideStores(directory, config, options.kinds ?? backendKinds);
      return (await import('./open-backup.ts')).openBackup(directory, access);
    },
    now: Date.now,
    uptime: createUptime(),
    newId: () => uuidv7(Date.now(), randomBytes(10)),
    onIncident,
  });
  opened.defer(() => registry.close());
  opened.defer(() => registry.settle());
  const parts = opened.move();
  const close = () => parts.disposeAsync();
  const as: Store['as'] = (who) => registry.as(typeof who === 'string' ? administrator(who) : who);
  return { as, operator: registry.operator, close, [Symbol.asyncDispose]: close };
}

/** Bytes that are in the database and not in their backend yet. */
export function heldIn(database: Database<RegistryOperations>): HeldBytes {
  return {
    read: async (backend_id, object_key) => (await database.read('held.read', { backend_id, object_key })).bytes ?? undefined,
  };
}

function matches(pattern: string, value: string): boolean {
  return pattern === '*' || pattern === value;
}
