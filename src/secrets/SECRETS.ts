import type { Secret } from './secret.ts';

/**
 * The secrets door: values that must not be seen, by name. Where they lie, and who may read them there, is behind it.
 * `conformance.ts` is the suite that every store passes. A name is what `secret-name.ts` takes.
 *
 * Missing is an answer only where the store itself said that there is nothing. Every other failure is an error, whose
 * message names the store and the secret and never has anything of a value:
 * - `secrets_forbidden`: the store knows this caller and refuses, or does not know it;
 * - `secrets_unavailable`: it cannot be reached, is sealed, or is not what it was taken for;
 * - `secret_unusable`: there is something under the name that cannot be taken. `info.fault` says how: `empty`,
 *   `exposed`, or `malformed`.
 */
export interface Secrets {
  /** What a person knows the store by: `the environment`, a directory, an address. Never anything secret. */
  readonly place: string;

  /** The value under `name`, never an empty one; undefined where there is none. */
  get(name: string): Promise<StoredSecret | undefined>;

  /** The names of all that is there, sorted; never values. A store may hold what `get` refuses to give. */
  list(): Promise<readonly string[]>;

  /** Present where the store can be written to. */
  readonly writer?: SecretsWriter;

  close(): Promise<void>;
}

export interface SecretsWriter {
  /**
   * Makes `value` what is under `name`, durably and in one step, and answers its version: only where the version there
   * is `expected`, or where nothing is there if that is undefined. Otherwise `secret_conflict`, and nothing has
   * changed. Of several that expect the same version one succeeds. `invalid_value` for a value that no store keeps as
   * it is: an empty one, one of more than 64 KiB, one that begins or ends with white space or a byte order mark.
   */
  put(name: string, value: Secret, expected: string | undefined): Promise<string>;

  /** Whether `put` under this name would be allowed: asked of the store, and nothing changes. Errors as of the door. */
  probeWrite(name: string): Promise<void>;
}

export interface StoredSecret {
  readonly value: Secret;
  /** What `put` expects; it changes with every change of the value. */
  readonly version: string;
}

/** Which store there is, as the configuration says it. */
export type SecretsConfig = EnvironmentConfig | DirectoryConfig | VaultConfig;

export interface EnvironmentConfig {
  readonly kind: 'environment';
}

export interface DirectoryConfig {
  readonly kind: 'directory';
  /** An absolute path. */
  readonly path: string;
}

/** Vault or OpenBao, with the key-value engine of version 2. */
export interface VaultConfig {
  readonly kind: 'vault';
  /** Without a trailing slash; https, or http to this machine. */
  readonly address: string;
  /** Where the engine is mounted. */
  readonly mount: string;
  /** Below which path of it the names are; empty for the top. */
  readonly path: string;
}

/** How a client shows a Vault who it is; references are `env:NAME` or `file:/absolute/path`. */
export type VaultAuth =
  | { readonly method: 'token'; readonly tokenRef: string }
  | { readonly method: 'approle'; readonly mount: string; readonly roleIdRef: string; readonly secretIdRef: string }
  | { readonly method: 'kubernetes' | 'jwt'; readonly mount: string; readonly role: string; readonly tokenFile: string };
