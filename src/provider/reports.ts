import type { VaultAuth } from '../secrets/SECRETS.ts';
import type { ProviderKind, Role } from './PROVIDER.ts';
import type { Step } from './rotation/steps.ts';

/** The commands of the provider, as whoever types them sees them: what they are given and what they answer. */
export interface ProviderCommands {
  importAdminPair(options: ImportOptions): Promise<ImportReport>;
  /** What `rotate` would do. Nothing is changed. */
  planRotation(options: RotateOptions): Promise<RotationPlan>;
  rotate(options: RotateOptions): Promise<RotateReport>;
  status(options: ProviderPlace): Promise<StatusReport>;
  revoke(options: RevokeOptions): Promise<RevokeReport>;
}

/** What every command of the provider is given. */
export interface ProviderPlace {
  /** `file:/directory` or `vault:https://host/MOUNT/PATH`. */
  readonly store: string;
  /** How a Vault is shown who asks. */
  readonly auth: VaultAuth;
  readonly namespace: string | undefined;
  readonly providerUrl: string | undefined;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly propagationSeconds: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly onStep?: (text: string) => void;
  readonly onWarning?: (text: string) => void;
}

export interface ImportOptions extends ProviderPlace {
  readonly provider: ProviderKind;
  readonly account: string;
  readonly tokenFiles: readonly [string, string];
  readonly bucket: string | undefined;
  /** Whether the store may be a directory that is empty. */
  readonly create: boolean;
  readonly dryRun: boolean;
}

export interface RotateOptions extends ProviderPlace {
  readonly bucket: string;
  readonly prefix: string;
  readonly otherBucket: string | undefined;
  readonly lifetimeSeconds: number;
  readonly overlapSeconds: number;
}

export interface RevokeOptions extends ProviderPlace {
  readonly generation: number;
  readonly evenCurrent: boolean;
}

/** Fingerprints and facts; never a value. */
export interface ImportReport {
  readonly action: 'import-admin-pair';
  readonly provider: string;
  readonly place: string;
  readonly account: string;
  readonly store: string;
  readonly dry_run: boolean;
  readonly persisted: boolean;
  readonly tokens: readonly {
    readonly slot: 'a' | 'b';
    readonly fingerprint: string;
    readonly expires_at: string | null;
    readonly granted: readonly string[];
  }[];
  readonly bucket: { readonly name: string; readonly is_there: boolean } | null;
  readonly steps: readonly string[];
}

/** What a rotation would do, step by step; everything that only asks was asked. */
export interface RotationPlan {
  readonly action: 'rotate';
  readonly dry_run: true;
  readonly provider: string;
  readonly place: string;
  readonly store: string;
  readonly generation: number;
  readonly previous: number | null;
  readonly resumes: boolean;
  readonly steps: readonly string[];
}

export interface RotateReport {
  readonly action: 'rotate';
  readonly provider: string;
  readonly place: string;
  readonly store: string;
  readonly generation: number;
  readonly previous: number | null;
  /** Whether an earlier run was finished, and no other generation begun. */
  readonly resumed: boolean;
  readonly keys: readonly { readonly role: Role; readonly id: string; readonly expires_at: string | null }[];
  readonly revoked: readonly string[];
}

/** What the store says of the authority, of the generations and of the last steps; fingerprints, never values. */
export interface StatusReport {
  readonly action: 'status';
  readonly store: string;
  readonly pair: {
    readonly provider: string;
    readonly account: string;
    readonly tokens: readonly { readonly slot: string; readonly fingerprint: string; readonly expires_at: string | null }[];
  } | null;
  readonly current: number | null;
  readonly generations: readonly {
    readonly generation: number;
    /** `unfinished`: keys were made, and no document of theirs is there; `ids` are those that the steps tell. */
    readonly state: 'current' | 'kept' | 'ended' | 'unfinished';
    readonly bucket: string | null;
    readonly prefix: string | null;
    readonly made_at: string | null;
    readonly expires_at: string | null;
    readonly ids: readonly string[];
  }[];
  /** A rotation that did not end: run it again. */
  readonly unfinished: number | null;
  readonly steps: readonly Step[];
}

export interface RevokeReport {
  readonly action: 'revoke';
  readonly provider: string;
  readonly place: string;
  readonly store: string;
  readonly generation: number;
  readonly revoked: readonly string[];
}
