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
