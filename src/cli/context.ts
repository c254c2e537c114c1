import type { Certificate, Family, ProbeResult } from '../certify/certificate.ts';
import type { StoreCommands } from '../certify/shape/reports.ts';
import type { CommandContext } from '../command.ts';
import { type Config, readConfig, type SeenConfig, seeConfig } from '../config/config.ts';
import type { Principal } from '../kernel/access.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { parseHttpUrl } from '../protocol/http-url.ts';
import type { ProviderCommands } from '../provider/reports.ts';
import type { Registry } from '../registry/REGISTRY.ts';
import type { CheckBackupOptions, CheckedBackup, Incident, Operator, Restored, RestoreOptions } from '../registry/upkeep/OPERATOR.ts';
import type { Output } from './terminal/output.ts';

/** What the command line is given: the process's surroundings, and how a store is opened. */
export interface Surroundings {
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  openStore(config: Config, options: OpenStoreOptions): Promise<OpenStore>;
  /** Looks at a backup, without a database or a storage of its own. */
  checkBackup(directory: string, options: CheckBackupOptions): Promise<CheckedBackup>;
  /** Brings a backup back into the empty places that the configuration names. */
  restore(config: Config, directory: string, options: RestoreOptions): Promise<Restored>;
  /** What can be told of a configuration before anything is opened with it. */
  checkConfig(config: Config): Promise<void>;
  /** Asks an object store what it can be trusted with. */
  certify(config: Config, options: CertifyOptions): Promise<Certificate>;
  /** What makes and ends the keys of a store. */
  provider(): Promise<ProviderCommands>;
  /** What makes and tries the bucket of a store, without a registry. */
  store(): Promise<StoreCommands>;
}

export interface CertifyOptions {
  /** The configured one where absent. */
  readonly place?: CertifyPlace;
  /** Which of several configured ones. */
  readonly backendId?: string;
  /** Keys of the bucket's owner. */
  readonly owner?: KeyPlaces;
  readonly reach?: { readonly otherBucket?: string };
  readonly families?: readonly Family[];
  readonly save?: boolean;
  /** Told what was found before it is saved. */
  readonly onCertificate?: (certificate: Certificate) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  readonly onProbe?: (probe: ProbeResult, done: number, total: number) => void;
}

export interface CertifyPlace {
  readonly endpointUrl: string;
  readonly bucket: string;
  readonly region: string;
  readonly keyPrefix: string;
  readonly forcePathStyle: boolean;
  readonly credentials: KeyPlaces;
}

/** `env:NAME` or `file:/path`. */
export interface KeyPlaces {
  readonly accessKeyRef: string;
  readonly secretKeyRef: string;
  readonly sessionTokenRef: string | undefined;
}

export interface OpenStoreOptions {
  readonly migrate?: boolean;
  /** `database`: no backend is opened. Everything where absent. */
  readonly parts?: 'database' | 'all';
  /** The database is opened to be read, and nothing is made. */
  readonly readOnly?: boolean;
  /** Whether the secrets of all backends are looked at first. */
  readonly checkSecrets?: boolean;
  /** Whether senders are given addresses of backends, which must be certified for it then. No where absent. */
  readonly givesAddresses?: boolean;
  /** A database server that is not up yet is waited for so long. */
  readonly waitForDatabase?: { readonly milliseconds: number; onWaiting(reason: string): void };
  /** Told of what callers are not told in full. */
  readonly onIncident?: (incident: Incident) => void;
}

export interface OpenStore extends AsyncDisposable {
  as(principal: Principal | string): Registry;
  readonly operator: Operator;
  close(): Promise<void>;
}

/** What a command of the core works with. */
export interface Context extends Surroundings, CommandContext {
  readonly globals: GlobalOptions;
  readonly output: Output;
}

export interface GlobalOptions {
  readonly apiUrl?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color?: boolean;
}

export function readCommandConfig(surroundings: Surroundings, globals: GlobalOptions): Config {
  return readConfig(environmentOf(surroundings, globals), { directory: surroundings.directory });
}

/** With all that is wrong. */
export function seeCommandConfig(surroundings: Surroundings, globals: GlobalOptions): SeenConfig {
  return seeConfig(environmentOf(surroundings, globals), { directory: surroundings.directory });
}

function environmentOf({ environment }: Surroundings, { apiUrl }: GlobalOptions): Surroundings['environment'] {
  if (apiUrl === undefined) return environment;
  requireHttpUrl(apiUrl);
  return { ...environment, ARTIFACTSTORE_API_URL: apiUrl };
}

/** Told under the name that was used; the configuration would name its own variable. */
function requireHttpUrl(apiUrl: string): void {
  try {
    parseHttpUrl(apiUrl);
  } catch (error) {
    throw new ArtifactstoreError('invalid_configuration', `--api-url: ${(error as Error).message}.`, { field: '--api-url', cause: error });
  }
}
