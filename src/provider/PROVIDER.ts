import type { Keys } from '../credentials/CREDENTIALS.ts';
import type { Secret } from '../secrets/secret.ts';

/**
 * The provider door: whoever makes, narrows and ends the keys of a bucket. What one provider calls things, and how it
 * is asked, is behind it. `conformance.ts` is the suite that every driver passes. No method keeps an authority beyond
 * the call, and no error has anything of a value. Errors of all methods:
 * - `provider_forbidden`: the provider knows this authority and refuses; the message names the permission;
 * - `authority_unusable`: the authority is not one: ended, disabled, malformed, of another account. `info.fault`;
 * - `provider_refused`: a limit is reached, or something that somebody else made is in the way;
 * - `provider_unavailable`: it cannot be reached, asks to wait for too long, or is not what it was taken for.
 */
export interface Provider {
  readonly kind: ProviderKind;
  /** What a person knows it by: an address and an account. Never anything secret. */
  readonly place: string;
  readonly capabilities: Capabilities;

  /**
   * Whether this authority can do all that a rotation needs: each right is asked for, and nothing is changed. With a
   * bucket also whether that can be seen; a bucket that is not there is said in the answer.
   */
  verify(authority: Secret, bucket: string | undefined): Promise<Authority>;

  /**
   * Uses the keys within their scope (write, head, read, delete) and outside of it (another bucket, another prefix, the
   * list of the account). Keys that are not known yet are tried for as long as the provider takes to spread them. What
   * comes out is in the answer, wrong or right; `mustHold` of `must-hold.ts` makes an error of it.
   */
  prove(keys: Keys, scope: Scope, outside: Outside): Promise<Proof>;

  /** Present where the provider can make keys. */
  readonly issuer?: Issuer;

  close(): Promise<void>;
}

export const providerKinds = ['cloudflare-r2', 'aws-iam', 'ceph-admin', 'static'] as const;
export type ProviderKind = (typeof providerKinds)[number];

export interface Capabilities {
  /** The narrowest that minted keys can be. `given`: nothing is minted, keys are as they were made elsewhere. */
  readonly narrowest: 'prefix' | 'bucket' | 'given';
  /** Whether minted keys end by themselves. */
  readonly expiry: boolean;
  /** How an authority is written in its file, for people. */
  readonly authorityForm: string;
}

export interface Issuer {
  /** New keys under this label. The value is in this answer and nowhere else. */
  mint(authority: Secret, request: MintRequest): Promise<Minted>;
  /** Ids of all that was minted under labels that begin like this and was not revoked: also what nobody was told of. */
  find(authority: Secret, labelPrefix: string): Promise<readonly string[]>;
  /** Another secret for the same id; the one before ends at once. Absent where a provider has no such call. */
  roll?(authority: Secret, id: string): Promise<Minted>;
  /** Ends the keys of this id; `absent` where there are none by now, which is as good. */
  revoke(authority: Secret, id: string): Promise<'revoked' | 'absent'>;
  /** Temporary keys from minted ones, narrower than these. Absent where a provider has no such call. */
  vend?(authority: Secret, request: VendRequest): Promise<Keys>;
  /** What a person runs to end this id without this software. */
  howToRevoke(id: string): string;
}

export interface Authority {
  /** Who the provider says it is; two files with the same subject are one authority. */
  readonly subject: string;
  readonly account: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMilliseconds?: number;
  /** What was asked and granted, in the provider's words. */
  readonly granted: readonly string[];
  /** Undefined where none was asked for. */
  readonly bucketIsThere?: boolean;
}

/** Where keys may be used. */
export interface Scope {
  readonly bucket: string;
  /** Without a slash at either end; empty for the whole bucket. */
  readonly prefix: string;
}

export interface Outside {
  /** A bucket that is there and that the keys must not reach. */
  readonly otherBucket: string | undefined;
}

export const roles = ['admin', 'proxy'] as const;
export type Role = (typeof roles)[number];

export interface MintRequest {
  readonly label: string;
  readonly role: Role;
  readonly scope: Scope;
  /** Milliseconds since the epoch; ignored by a provider without `expiry`. */
  readonly expiresAtMilliseconds: number;
}

export interface VendRequest {
  /** The id of minted keys. */
  readonly parentId: string;
  readonly scope: Scope;
  readonly write: boolean;
  readonly seconds: number;
}

export interface Minted {
  readonly id: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** Of temporary keys. */
  readonly sessionToken?: Secret;
  readonly expiresAtMilliseconds?: number;
}

export interface Proof {
  readonly checks: readonly ProofCheck[];
}

export interface ProofCheck {
  readonly what: 'write' | 'head' | 'read' | 'delete' | 'other_bucket' | 'other_prefix' | 'account_list';
  /** `not_applicable`: there is nothing outside, as with another prefix of a whole bucket. */
  readonly result: 'holds' | 'fails' | 'unknown' | 'not_applicable';
  /** The status and code of the answer, or why there is none. */
  readonly told: string;
}
