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
  /** Tokens for people who come with a browser; absent where there is no access file. */
  readonly signIn?: SignIn;
}

/**
 * The authorization code flow (OpenID Connect Core 1.0, section 3.1) with PKCE (RFC 7636), up to a token that is then
 * identified as any other. Nothing is kept between its two steps: the caller does that, in the one browser.
 */
export interface SignIn {
  /** By whom people can sign in as of now, in the order of the access file. */
  choices(): readonly SignInChoice[];
  /**
   * Where the browser is to be sent. Errors: `malformed_request` for an issuer that has no client, and
   * `identity_unavailable`.
   */
  begin(issuer: string): Promise<BegunSignIn>;
  /**
   * What came back to the callback, as its query. Errors: `unauthorized`, whose `info.sign_in` is a `SignInRefusal`;
   * those of `identify`.
   */
  finish(begun: SignInMemory, query: URLSearchParams): Promise<SignedIn>;
}

/**
 * `denied`: the person or the issuer did not want to. `state`: it is the answer to another question. `refused`: what
 * the issuer says does not hold.
 */
export type SignInRefusal = 'denied' | 'state' | 'refused';

export interface SignInChoice {
  /** The name of its table. */
  readonly issuer: string;
  /** For a button. */
  readonly label: string;
  /** Where browsers find this server, with a slash at its end. */
  readonly url: string;
}

export interface BegunSignIn {
  readonly address: string;
  readonly memory: SignInMemory;
}

/** Of one sign-in. All of it is secret but the issuer. */
export interface SignInMemory {
  readonly issuer: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export interface SignedIn {
  readonly token: string;
  readonly identified: Identified;
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
