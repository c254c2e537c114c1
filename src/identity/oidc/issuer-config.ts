/**
 * How a signature may be made (JWS `alg`, RFC 7518 section 3.1, RFC 8037, RFC 9864): with a key pair, so that whoever
 * can check one cannot make one. Never `none`, never one with a shared secret.
 */
export const signingAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

export type SigningAlgorithm = (typeof signingAlgorithms)[number];

/** One `[issuers.<name>]` table of the access file. Several may be of the same issuer, with different audiences. */
export interface IssuerConfig {
  /** Of the table. Unique in the file. */
  readonly name: string;
  /** What the claim `iss` has to be, exactly. No `issuerUrlFault`. */
  readonly issuer: string;
  /** What the claim `aud` has to be, exactly. */
  readonly audience: string;
  /** Where its keys are; undefined to ask its discovery document. No `keysUrlFault`. */
  readonly jwksUrl: string | undefined;
  /** PEM file of the one authority whose certificates count for it; undefined for those that Node knows. */
  readonly caFile: string | undefined;
  readonly algorithms: readonly SigningAlgorithm[];
  /** The longest life, `exp` less `iat`, that a token may have. */
  readonly maximumAgeSeconds: number;
  /** Whether a token, known by its `jti`, counts once. */
  readonly singleUse: boolean;
  /** By which people sign in to the console; its tokens are for it, so its id is the audience. */
  readonly console?: ConsoleClient;
}

/** `[issuers.<name>.console]`: this server as a client of the issuer. */
export interface ConsoleClient {
  /** Where browsers find this server, with a slash at its end. No `issuerUrlFault`. */
  readonly url: string;
  /** `env:NAME`, `file:/absolute/path` or `secret:NAME`; undefined for a public client. */
  readonly clientSecret: string | undefined;
  readonly scopes: readonly string[];
  /** On the button. */
  readonly label: string;
}

/** What holds where a table says nothing of it. */
export const issuerDefaults: Pick<IssuerConfig, 'algorithms' | 'maximumAgeSeconds' | 'singleUse'> = {
  algorithms: ['RS256'],
  maximumAgeSeconds: 900,
  singleUse: false,
};
