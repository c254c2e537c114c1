import type { Grant, Principal, Quota } from '../kernel/access.ts';
import type { Timestamp } from '../kernel/time.ts';
import type { IssuerStatus } from './oidc/OIDC.ts';

/**
 * From what a caller shows to who it is. Every door asks it before it reads a body: a token of
 * `ARTIFACTSTORE_AUTH_TOKENS`, a token of the access file, or one that an issuer signed (OpenID Connect).
 */
export interface Identity extends AsyncDisposable {
  /**
   * Who sends this bearer token. An answer that is no promise needs no one else; it is one where an issuer's keys have
   * to be asked for. Errors: `unauthorized` (nobody's, malformed, expired, …, the reason in the message as far as it
   * tells a stranger nothing), `forbidden` (known, and no grant matches), `identity_unavailable` (its issuer cannot be
   * asked now, so that nothing is known of it).
   */
  identify(token: string): Identified | Promise<Identified>;
  /** What whoever sends none may do. */
  readonly anonymous: readonly Grant[];
  /** How much a producer may have; undefined where there is no bound. As of now: the access file is read again. */
  quotaOf(producer: string): Quota | undefined;
  /** Whether a text is a token of the access file: nothing that is kept or logged may have it. */
  isSecret?(text: string): boolean;
  /** Of the access file, for health: undefined where there is none. */
  status(): AccessStatus | undefined;
}

export interface Identified {
  readonly principal: Principal;
  /**
   * What kind of token it was, as `whoami` says it: `token of the server`, `token of the access file`,
   * `issuer github`.
   */
  readonly by: string;
  /** When the token ends; null for never. Milliseconds since the epoch. */
  readonly expiresAt: number | null;
}

/** Of the file, and of the issuers that it names. */
export interface AccessStatus extends AccessFileStatus {
  readonly issuers: readonly IssuerStatus[];
}

export interface AccessFileStatus {
  readonly path: string;
  /** When what is in force was read; RFC 3339. */
  readonly loaded_at: Timestamp;
  /** Why a newer version of the file is not in force, or why nobody knows of one; null when the newest is. */
  readonly refused: string | null;
}
