import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { DatabaseTarget } from '../database/target.ts';
import { type Algorithm, algorithms } from '../kernel/content/digest.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { builtInRetentionClasses, type RetentionClass } from '../kernel/retention.ts';
import { parseHttpUrl } from '../protocol/http-url.ts';
import { type BackendConfig, type BackendKind, kindOf } from '../storage/kind.ts';
import { backendKinds } from '../storage/kinds.ts';
import { parseBasePath } from './base-path.ts';
import { type PlatformIdentity, readClientToken, readSourceToken } from './client-token.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { parseHostNames } from './host-names.ts';
import { parseOrigins } from './origins.ts';
import { readRetentionClasses } from './retention-file.ts';
import type { StorageRoute } from './routes.ts';
import { readSecrets, type SecretsSettings } from './secrets.ts';
import { dotEnvName, type Problem, type Settings, settingsFrom } from './settings.ts';
import { settingSources } from './sources.ts';
import { readStorage } from './storage.ts';
import { type BearerToken, parseTokens } from './tokens.ts';

export type { BackendConfig } from '../storage/kind.ts';
export type { PlatformIdentity } from './client-token.ts';
export type { StorageRoute } from './routes.ts';
export type { Problem } from './settings.ts';
export type { BearerToken } from './tokens.ts';

/**
 * Everything that can be chosen from outside, read once. Names are the variables of docs/operate/configure.md without
 * their prefix; paths are absolute. It holds tokens: show it to people by `describe()` only.
 */
export interface Config {
  readonly database: DatabaseTarget;
  /** The primary digest of new objects; SHA-256 is always made beside it. */
  readonly digestAlgorithm: Algorithm;
  readonly backends: readonly BackendConfig[];
  readonly defaultBackend: string;
  /** First match wins; without a match, the default backend. */
  readonly routes: readonly StorageRoute[];
  /**
   * Files up to this length are committed with the log and put into their backend later; 0 for none. And how much may
   * wait so.
   */
  readonly smallObjectBytes: number;
  readonly heldBytes: number;
  /** Where uploads wait whose backend cannot take them as they come. */
  readonly spoolDirectory: string;
  /**
   * Settings that nobody made and whose default, in the working directory `/`, lies where the system keeps its own
   * data: a store is not opened with them.
   */
  readonly misplaced: readonly string[];
  /** Where secrets are that are looked up by name. */
  readonly secrets: SecretsSettings;
  /** Values of the variables that credential references name, from wherever settings come. */
  readonly referenced: Readonly<Record<string, string>>;
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The names beside those of this machine by which requests may ask for the server; `*` for every one. */
  readonly allowedHosts: readonly string[];
  /** Of web pages that may use the server, or `*`. */
  readonly corsOrigins: readonly string[];
  readonly logLevel: LogLevel;
  /** Whether `/livez`, `/readyz`, `/health` and `/metrics` are in the log when they answer well. */
  readonly logProbes: boolean;
  /** Below which path clients find the server: empty, or `/artifacts`. */
  readonly basePath: string;
  readonly trustForwardedPrefix: boolean;
  /** How long requests in flight may take when a server is stopped. */
  readonly shutdownGraceSeconds: number;
  /** Connections that a server takes at a time; 0 for as many as the system gives. */
  readonly maxConnections: number;
  /** Requests, and open streams, of one caller; 0 for any number. */
  readonly maxRequestsPerCaller: number;
  readonly maxStreamsPerCaller: number;
  /** Memory for bodies that are read whole. */
  readonly maxBufferedBytes: number;
  readonly maxFilesPerRequest: number;
  /** The least that a sender must send of a body on average; 0 for none. */
  readonly minUploadBytesPerSecond: number;
  readonly tokens: readonly BearerToken[];
  readonly anonymousRead: boolean;
  /** The file of grants, issuers and quotas, which the server reads; undefined for none. */
  readonly accessConfigPath: string | undefined;
  /** Where the commands that speak HTTP find the server, without a trailing slash. */
  readonly apiUrl: string;
  /** Where those commands have their token from: one of the three, or none. */
  readonly apiToken: string | undefined;
  readonly apiTokenFile: string | undefined;
  readonly apiIdentity: PlatformIdentity | undefined;
  /**
   * Whether `.env` names the server, which then is the choice of whoever wrote the working directory, and whether it
   * names the token too, or where that comes from.
   */
  readonly apiFromDotEnv: { readonly url: boolean; readonly token: boolean };
  /** Where `import` has the token of the registry that it reads from: one of the two, or none. */
  readonly sourceToken: string | undefined;
  readonly sourceTokenFile: string | undefined;
  /**
   * Where commands keep what they can do without: of the environment alone (XDG Base Directory Specification);
   * undefined for a user without a home folder.
   */
  readonly cacheDirectory: string | undefined;
  /** Where `.env` was looked for. */
  readonly directory: string;
  readonly retention: {
    /** The built-in classes, overridden and added to by the retention file. */
    readonly classes: readonly RetentionClass[];
    readonly unfinalizedSeconds: number;
    readonly sweepIntervalSeconds: number;
    readonly autorun: boolean;
  };
  /** How long an upload waits for its next byte. */
  readonly uploadSeconds: number;
  /** What write sessions are bounded by: objects and bytes of one, its longest time, and open ones of one actor. */
  readonly writeSessions: { readonly objects: number; readonly bytes: number; readonly seconds: number; readonly open: number };
  readonly guideBoardSchema: string;
  readonly stateHub: { readonly url: string; readonly workstreamId: string | undefined; readonly taskId: string | undefined } | undefined;
  /** Every setting by its variable's name, secrets replaced: safe to print. */
  describe(): Readonly<Record<string, string>>;
  /** `environment` or `.env`, where a variable was set; undefined where the default counts. */
  originOf(variable: string): string | undefined;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export interface ReadConfigOptions {
  /** Where `.env` is looked for and relative paths start; the working directory where absent. */
  readonly directory?: string;
  /** The kinds of backends that can be named; those of this package where absent. */
  readonly kinds?: readonly BackendKind[];
  /** Whether `.env` is read; true where absent. */
  readonly withDotEnv?: boolean;
  /** Variables whose values are known to be wrong: no more is said of these. */
  readonly doubted?: ReadonlySet<string>;
}

/** A configuration in which defaults stand for what is wrong, and all that is. */
export interface SeenConfig {
  readonly config: Config;
  readonly problems: readonly Problem[];
  /** Why nothing of `.env` counts, though something is in it: half a sentence about the file. */
  readonly unreadDotEnv: string | undefined;
}

/**
 * Reads the configuration from the environment and `.env`; a variable of the real environment wins, an empty one counts
 * as not set. Everything that is wrong is reported at once, in one `invalid_configuration` that names each variable.
 */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  options: ReadConfigOptions = {},
): Config {
  const { config, problems } = seeConfig(environment, options);
  if (problems.length === 0) return config;
  const [first] = problems;
  const lead = problems.length === 1 ? 'The configuration is wrong' : `The configuration is wrong in ${problems.length} places`;
  throw new ArtifactstoreError('invalid_configuration', `${lead}:\n${problems.map(({ name, text }) => `  ${name}: ${text}`).join('\n')}`, {
    ...(first === undefined ? {} : { field: first.name }),
    info: { names: problems.map(({ name }) => name) },
  });
}

/** The same for whoever looks further than to the first wrong setting. */
export function seeConfig(environment: Readonly<Record<string, string | undefined>>, options: ReadConfigOptions = {}): SeenConfig {
  const { kinds = backendKinds, withDotEnv = true, doubted } = options;
  const directory = resolve(options.directory ?? '.');
  const { all, dotEnv } = settingSources(environment, directory, withDotEnv);
  const settings = settingsFrom(all, doubted);
  const { isFromDotEnv, ...clientToken } = readClientToken(settings, directory);

  const config: Config = {
    database: settings.parsed('DATABASE_URL', 'sqlite:./var/artifactstore.db', (text) => parseDatabaseUrl(text, directory)),
    digestAlgorithm: settings.oneOf('DIGEST_ALGORITHM', 'blake3', Object.keys(algorithms)) as Algorithm,
    ...readStorage(settings, directory, kinds),
    smallObjectBytes: settings.integer('SMALL_OBJECT_BYTES', 65_536, { from: 0, to: 262_144 }),
    heldBytes: settings.integer('HELD_BYTES', 1_073_741_824, { from: 0, to: 1_099_511_627_776 }),
    misplaced: [],
    secrets: readSecrets(settings),
    host: settings.text('HOST', '127.0.0.1'),
    port: settings.integer('PORT', 8000, { from: 0, to: 65_535 }),
    allowedHosts: settings.parsed('ALLOWED_HOSTS', '', parseHostNames),
    corsOrigins: settings.parsed('CORS_ORIGINS', '', parseOrigins),
    logLevel: logLevels[settings.oneOf('LOG_LEVEL', 'INFO', Object.keys(logLevels))] ?? 'info',
    logProbes: settings.boolean('LOG_PROBES', true),
    basePath: settings.parsed('BASE_PATH', '', parseBasePath),
    trustForwardedPrefix: settings.boolean('TRUST_FORWARDED_PREFIX', false),
    shutdownGraceSeconds: settings.integer('SHUTDOWN_GRACE_SECONDS', 30, { from: 0, to: 86_400 }),
    maxConnections: settings.integer('MAX_CONNECTIONS', 1_000, { from: 0, to: 1_000_000 }),
    maxRequestsPerCaller: settings.integer('MAX_REQUESTS_PER_CALLER', 256, { from: 0, to: 1_000_000 }),
    maxStreamsPerCaller: settings.integer('MAX_STREAMS_PER_CALLER', 128, { from: 0, to: 1_000_000 }),
    maxBufferedBytes: settings.integer('MAX_BUFFERED_BYTES', 67_108_864, { from: 67_108_864, to: 68_719_476_736 }),
    maxFilesPerRequest: settings.integer('MAX_FILES_PER_REQUEST', 1_000, { from: 1, to: 100_000 }),
    minUploadBytesPerSecond: settings.integer('MIN_UPLOAD_BYTES_PER_SECOND', 0, { from: 0, to: 1_073_741_824 }),
    tokens: settings.secret('AUTH_TOKENS', parseTokens) ?? [],
    anonymousRead: settings.boolean('ANON_READ', false),
    accessConfigPath: settings.parsed('ACCESS_CONFIG_PATH', '', (text) => (text === '' ? undefined : resolve(directory, text))),
    apiUrl: settings.parsed('API_URL', 'http://127.0.0.1:8000', parseHttpUrl),
    ...clientToken,
    apiFromDotEnv: { url: settings.originOf('API_URL') === dotEnvName, token: isFromDotEnv },
    ...readSourceToken(settings, directory),
    cacheDirectory: cacheDirectory(settings),
    directory,
    retention: {
      classes: retentionClasses(settings, directory),
      unfinalizedSeconds: settings.integer('RETENTION_UNFINALIZED_SECONDS', 604_800, { from: 0 }),
      sweepIntervalSeconds: settings.integer('RETENTION_SWEEP_INTERVAL_SECONDS', 3600, { from: 1, to: longestTimerSeconds }),
      autorun: settings.boolean('RETENTION_AUTORUN', false),
    },
    uploadSeconds: settings.integer('UPLOAD_TTL_SECONDS', 86_400, { from: 1 }),
    writeSessions: {
      objects: settings.integer('WRITE_SESSION_OBJECTS', 10_000, { from: 1, to: 10_000 }),
      bytes: settings.integer('WRITE_SESSION_BYTES', 1_099_511_627_776, { from: 1 }),
      seconds: settings.integer('WRITE_SESSION_TTL_SECONDS', 604_800, { from: 60, to: 604_800 }),
      open: settings.integer('WRITE_SESSIONS_OPEN', 100, { from: 1, to: 100_000 }),
    },
    guideBoardSchema: resolve(directory, settings.text('GUIDE_BOARD_SCHEMA', 'schemas/guide-board.run.v1.json')),
    stateHub: stateHub(settings),
    referenced: settings.referenced(),
    describe: settings.describe,
    originOf: settings.originOfVariable,
  };

  const seen = { ...config, misplaced: dirname(directory) === directory ? misplaced(config, settings, kinds) : [] };
  return { config: deepFreeze(seen), problems: [...(dotEnv?.problems ?? []), ...settings.problems()], unreadDotEnv: dotEnv?.unread };
}

/** Whether a variable is meant as a setting, known or not. */
export function isSettingName(variable: string): boolean {
  return /^(?:ARTIFACTSTORE_|STATE_HUB_)/i.test(variable);
}

function misplaced({ backends, database }: Config, settings: Settings, kinds: readonly BackendKind[]): readonly string[] {
  const needed = [
    ...(database.kind === 'sqlite' ? ['DATABASE_URL'] : []),
    ...backends.map((backend) => kindOf(backend, kinds).directorySetting(backend)),
  ];
  return needed.filter((name) => !settings.isSet(name)).map((name) => `ARTIFACTSTORE_${name}`);
}

/** A longer timer of Node would run out at once. */
const longestTimerSeconds = 2_147_483;

const logLevels: Readonly<Record<string, LogLevel>> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warn',
  WARN: 'warn',
  ERROR: 'error',
  CRITICAL: 'fatal',
  FATAL: 'fatal',
};

function retentionClasses(settings: Settings, directory: string): readonly RetentionClass[] {
  const named = settings.parsed('RETENTION_CONFIG_PATH', '', (text) => (text === '' ? [] : readRetentionClasses(resolve(directory, text))));
  const classes = new Map([...builtInRetentionClasses, ...(named ?? [])].map((entry) => [entry.slug, entry]));
  return [...classes.values()];
}

/** A relative path is not valid there, says the specification, and is ignored. */
function cacheDirectory(settings: Settings): string | undefined {
  const chosen = settings.ofEnvironment('XDG_CACHE_HOME');
  const home = settings.ofEnvironment('HOME');
  const base =
    chosen !== undefined && isAbsolute(chosen) ? chosen : home !== undefined && isAbsolute(home) ? join(home, '.cache') : undefined;
  return base === undefined ? undefined : join(base, 'artifactstore');
}

function stateHub(settings: Settings): Config['stateHub'] {
  const url = settings.unprefixed('STATE_HUB_URL');
  const workstreamId = settings.unprefixed('STATE_HUB_WORKSTREAM_ID');
  const taskId = settings.unprefixed('STATE_HUB_TASK_ID');
  return url === undefined ? undefined : { url, workstreamId, taskId };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
