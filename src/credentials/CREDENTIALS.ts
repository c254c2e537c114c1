/**
 * The credentials door: keys for one store, valid now. Where they come from, how long they live and how they are
 * renewed is behind it. Nothing here is ever printed: not in errors, logs, events or configuration.
 */
export interface Credentials {
  /**
   * Keys that can be used now; renewed before they end, at most once at a time however many ask. Errors:
   * `storage_unavailable`, naming the setting to look at.
   */
  keys(): Promise<Keys>;

  /**
   * Says that the store refused these keys: they are not given again where others can be had and may help. Keys that
   * are not the current ones are ignored.
   */
  refused(keys: Keys): void;

  /**
   * Where others cannot be read while the current ones stay in use: for how long, and why. Undefined while all is well.
   * Absent where keys are never read again.
   */
  unread?(): Unread | undefined;
}

export interface Unread {
  readonly seconds: number;
  /** Without a value. */
  readonly reason: string;
}

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Present with temporary keys. */
  readonly sessionToken?: string;
  /** When the store stops taking them, in milliseconds since the epoch; absent where they do not end. */
  readonly expiresAtMilliseconds?: number;
}

/** Where keys for a store come from, as the configuration says it. */
export type CredentialsConfig = StaticKeysConfig | GenerationConfig | WebIdentityConfig;

export interface StaticKeysConfig {
  readonly kind: 'static';
  /** `env:NAME`, `file:/path` or `secret:NAME`. */
  readonly accessKeyRef: string;
  readonly secretKeyRef: string;
  readonly sessionTokenRef: string | undefined;
}

/** Keys as `artifactstore provider rotate` keeps them. */
export interface GenerationConfig {
  readonly kind: 'generation';
  /** `file:/directory` or `vault:https://host:8200/MOUNT/PATH`. */
  readonly store: string;
  readonly role: 'admin' | 'proxy';
  /** Of a Vault: `env:NAME` or `file:/path`; empty where it is shown who asks as for other secrets. */
  readonly storeTokenRef: string;
}

export interface WebIdentityConfig {
  readonly kind: 'web-identity';
  readonly stsEndpointUrl: string | undefined;
  /** Undefined where the store reads from the token what it allows, as MinIO does by a claim. */
  readonly roleArn: string | undefined;
  readonly webIdentityTokenFile: string;
  readonly sessionDurationSeconds: number;
}

/** What the names of a store's settings begin with, where there is one store only. */
export const s3Variables = 'ARTIFACTSTORE_S3_';
