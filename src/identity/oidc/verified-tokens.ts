import { hash } from 'node:crypto';
import type { IssuerConfig } from './issuer-config.ts';
import type { KeySet } from './key-set.ts';
import type { VerifiedToken } from './OIDC.ts';

/** As many tokens as were used last are kept. */
const maximumTokens = 4_096;

/** What was verified, and what it was verified with: it holds as long as that does. */
export interface Verified {
  readonly token: VerifiedToken;
  readonly config: IssuerConfig;
  readonly keys: KeySet;
}

/** Tokens that were verified, by their SHA-256: their text is not kept. */
export interface VerifiedTokens {
  get(token: string): Verified | undefined;
  keep(token: string, verified: Verified): void;
}

export function createVerifiedTokens(room: number = maximumTokens): VerifiedTokens {
  /** In the order in which they were used. */
  const kept = new Map<string, Verified>();
  return {
    get(token) {
      const key = hash('sha256', token, 'base64');
      const there = kept.get(key);
      if (there === undefined) return undefined;
      kept.delete(key);
      kept.set(key, there);
      return there;
    },
    keep(token, verified) {
      kept.set(hash('sha256', token, 'base64'), verified);
      if (kept.size > room) kept.delete(kept.keys().next().value!);
    },
  };
}
