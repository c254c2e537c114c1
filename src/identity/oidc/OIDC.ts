import type { JsonObject } from '../../kernel/format/json-value.ts';
import type { IssuerConfig } from './issuer-config.ts';

/** Tokens that issuers sign (OpenID Connect, JWT), and whether they hold here and now. */
export interface Oidc {
  /**
   * What a token says, once everything was checked: who signed it, for whom, until when. An answer that is no promise
   * was known; it is the same object as long as the token holds. Errors: `unauthorized` (which rule it breaks),
   * `identity_unavailable` (its issuer's keys can't be had now, so that nothing is known of it).
   */
  verify(token: string): VerifiedToken | Promise<VerifiedToken>;
  /**
   * From now on these are the issuers. Keys and used tokens of an issuer that stays are kept. `single_use` among them
   * is for one process: see `docs/access.md`.
   */
  use(issuers: readonly IssuerConfig[]): void;
  /** Of each table, in its order, for health. Looking has those that could not be reached asked again. */
  status(): readonly IssuerStatus[];
  /** Ends what is asked for now; verifying then needs new keys. */
  close(): Promise<void>;
}

export interface VerifiedToken {
  /** The name of the table, `[issuers.<name>]`. */
  readonly issuer: string;
  readonly claims: JsonObject;
  /** `exp`, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface IssuerStatus {
  readonly issuer: string;
  /** How many keys of it are in force. */
  readonly keys: number;
  /** When they were read; RFC 3339. Null where they never were. */
  readonly read_at: string | null;
  /** Why the last attempt to read them failed; null where it did not. */
  readonly failure: string | null;
}
