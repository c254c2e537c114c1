import type { Finding } from '../certificate.ts';

/** A bucket of a store, with keys that stay as they are, as a file of settings says it. */
export interface StorePlace {
  /** Scheme, host and port; no slash behind it. */
  readonly endpointUrl: string;
  readonly region: string;
  readonly bucket: string;
  readonly forcePathStyle: boolean;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** The name of the setting that the bucket came from, for messages. */
  readonly bucketSetting: string;
}

/** What the commands of a store do, whoever opens its connection. */
export interface StoreCommands {
  /**
   * Makes the bucket where it is missing. Errors: `storage_unavailable`, naming the setting to look at;
   * `target_in_use` where the bucket is somebody else's; `cancelled`.
   */
  init(place: StorePlace, options: InitOptions): Promise<InitReport>;
  /**
   * Asks the bucket what a platform will ask of it, and removes what it wrote. Errors: `storage_unavailable`,
   * `storage_full`; `cancelled`.
   */
  probe(place: StorePlace, options: ProbeOptions): Promise<StoreProbeReport>;
}

export interface InitOptions {
  /** Says what would be made, and makes nothing. */
  readonly dryRun?: boolean;
  /** How long a store that does not answer yet is waited for; 0 by default. */
  readonly waitMilliseconds?: number;
  readonly onWaiting?: (reason: string) => void;
  readonly signal?: AbortSignal;
}

export interface StoreName {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** What it calls itself. */
  readonly server: string | null;
}

export interface InitReport {
  readonly store: StoreName;
  /** `missing` in a dry run alone. */
  readonly bucket: 'made' | 'there' | 'missing';
  /** How many were sent that only ask, and how many that may change something. */
  readonly requests: { readonly reading: number; readonly writing: number };
  readonly seconds: number;
}

/** What a platform asks of its store: `plain` what any does, `cosmo` what WunderGraph Cosmo does. */
export const storeShapes = ['plain', 'cosmo'] as const;
export type StoreShape = (typeof storeShapes)[number];

export interface ProbeOptions {
  readonly shape: StoreShape;
  readonly onCheck?: (check: CheckResult, done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export interface CheckResult extends Finding {
  /** `<shape>.<name>`. */
  readonly id: string;
  /** What holds when it passes. */
  readonly title: string;
  /** What follows for the platform; null where it holds. */
  readonly consequence: string | null;
  /** What avoids that. */
  readonly remedy: string | null;
}

/** What a store did when it was asked as a platform will ask it, as plain JSON. It holds no secrets. */
export interface StoreProbeReport {
  readonly store: StoreName;
  /** Of the software that asked. */
  readonly version: string;
  readonly started_at: string;
  readonly seconds: number;
  readonly shape: StoreShape;
  /** Whether all was answered, nothing failed and nothing was left behind; what `differs` does no harm. */
  readonly ok: boolean;
  readonly checks: readonly CheckResult[];
  /** Prefixes of runs that were killed, whose objects are gone now. */
  readonly cleaned: readonly string[];
  /** Prefixes of runs that may still be at work. */
  readonly busy: readonly string[];
  /** What could not be removed again. */
  readonly leftovers: readonly string[];
}
