import type { Grant, Quota } from '../../kernel/access.ts';
import type { Place } from '../../protocol/toml-places.ts';
import type { ActorTemplate } from '../grants/actor-template.ts';
import type { Condition } from '../grants/conditions.ts';
import type { IssuerConfig } from '../oidc/issuer-config.ts';

/** What an access file says, once nothing is wrong with it. */
export interface AccessFile {
  readonly issuers: readonly IssuerConfig[];
  readonly grants: readonly FileGrant[];
  /** By producer. */
  readonly quotas: ReadonlyMap<string, Quota>;
  /** What is legal, and most likely not meant. */
  readonly warnings: readonly Finding[];
}

/** One of `[[grants]]`. */
export interface FileGrant {
  /** Where it begins. */
  readonly place: Place;
  readonly holder: Holder;
  readonly grant: Grant;
}

/** Whose a grant is. */
export type Holder = IssuerHolder | TokenHolder | { readonly kind: 'anonymous' };

export interface IssuerHolder {
  readonly kind: 'issuer';
  /** The name of its table. */
  readonly issuer: string;
  /** All must hold. */
  readonly conditions: readonly Condition[];
  readonly actor: ActorTemplate;
}

export interface TokenHolder {
  readonly kind: 'token';
  /** SHA-256 of the token, in small hex. */
  readonly digest: string;
  readonly actor: string;
}

/** Something about the file, for whoever wrote it. */
export interface Finding extends Place {
  readonly message: string;
}
