import type { CryptoKey, JWK } from 'jose';
import { JWKSMultipleMatchingKeys, JWKSNoMatchingKey } from 'jose/errors';
import { createLocalJWKSet } from 'jose/jwks/local';
import { isJsonObject, type JsonObject } from '../../kernel/format/json-value.ts';
import { refused } from './refusal.ts';

/** So many keys are taken of one issuer. Real ones publish two to ten. */
export const maximumKeys = 100;
const minimumModulusBits = 2048;
/** A signature by a larger one takes long to check. */
const maximumModulusBits = 8192;

/** The public keys of an issuer that can be used here, as of one reading. */
export interface KeySet {
  readonly size: number;
  /** Equal where the keys are. */
  readonly fingerprint: string;
  /**
   * The key that signs with the algorithm under this name; without a name, the only one there is. Undefined where it is
   * not there. Errors: `unauthorized` where it is not clear which it is, or where it is malformed.
   */
  find(algorithm: string, keyId: string | undefined): Promise<CryptoKey | undefined>;
  /** Why the key of this name is not among them although it is published. */
  unusable(keyId: string): string | undefined;
}

/**
 * Keys of a JWK Set (RFC 7517, section 5). Those that can't be used are left out, as section 5 says: unknown kinds,
 * keys for encryption, shared secrets, RSA below 2048 bits; and private keys, with which anybody can sign by now. Only
 * the key itself is taken of each: where more of it lies elsewhere (`x5u`) is not read. Undefined where it is no JWK
 * Set.
 */
export function keySetOf(document: JsonObject): KeySet | undefined {
  const { keys: published } = document;
  if (!Array.isArray(published) || published.length > maximumKeys || !published.every(isJsonObject)) return undefined;
  const unusable = new Map<string, string>();
  const keys: JWK[] = [];
  for (const each of published) {
    const fault = keyFault(each);
    if (fault === undefined) keys.push(publicPart(each));
    else if (typeof each.kid === 'string') unusable.set(each.kid, fault);
  }
  const find = createLocalJWKSet({ keys });
  return {
    size: keys.length,
    fingerprint: JSON.stringify(keys.map((key) => JSON.stringify(key)).sort()),
    unusable: (keyId) => unusable.get(keyId),
    async find(algorithm, keyId) {
      try {
        return await find({ alg: algorithm, ...(keyId === undefined ? {} : { kid: keyId }) });
      } catch (error) {
        if (error instanceof JWKSNoMatchingKey) return undefined;
        if (error instanceof JWKSMultipleMatchingKeys)
          throw refused('its issuer has several keys that could have signed it, and it does not say which ("kid")', error);
        throw refused('the key that it names is not a good one', error);
      }
    },
  };
}

const members = ['kty', 'kid', 'alg', 'use', 'crv', 'n', 'e', 'x', 'y'] as const;

function publicPart(key: JsonObject): JWK {
  const taken: Partial<Record<(typeof members)[number], string>> = {};
  for (const name of members) {
    const value = key[name];
    if (typeof value === 'string') taken[name] = value;
  }
  const operations = key.key_ops;
  return {
    kty: '',
    ...taken,
    ...(Array.isArray(operations) ? { key_ops: operations.filter((each) => typeof each === 'string') } : {}),
  };
}

function keyFault(key: JsonObject): string | undefined {
  if (!['RSA', 'EC', 'OKP'].includes(String(key.kty))) return 'is no public key';
  if (key.use !== undefined && key.use !== 'sig') return 'is not for signatures';
  if (key.d !== undefined) return 'is published with its private part';
  if (key.kty !== 'RSA') return undefined;
  const bits = modulusBits(key.n);
  if (bits < minimumModulusBits) return `is RSA of ${bits} bits, and at least ${minimumModulusBits} are needed`;
  return bits > maximumModulusBits ? `is RSA of ${bits} bits, and at most ${maximumModulusBits} are taken` : undefined;
}

function modulusBits(n: unknown): number {
  const bytes = Buffer.from(typeof n === 'string' ? n : '', 'base64url');
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (bytes.length - first) * 8 - Math.clz32(bytes[first] ?? 0) + 24;
}
