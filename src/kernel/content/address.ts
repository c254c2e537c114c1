import { ArtifactstoreError } from '../error.ts';
import { type Algorithm, algorithms, toHex } from './digest.ts';

declare const brand: unique symbol;

/** `<algorithm>:<lowercase hex>`: the name of some bytes, by their digest. */
export type ContentAddress = string & { readonly [brand]: 'ContentAddress' };

/** The legal shape, as every reader of a pattern understands it. */
export const addressPattern: string = `^(?:${Object.entries(algorithms)
  .map(([name, { digestBytes }]) => `${name}:[0-9a-f]{${2 * digestBytes}}`)
  .join('|')}|(?!(?:${Object.keys(algorithms).join('|')}):)[a-z][a-z0-9_-]*:(?:[0-9a-f]{2})+)$`;

/**
 * Throws `invalid_address`. An algorithm that is not known here is accepted when the address has the legal shape:
 * nothing is stored under it, so it is simply not found.
 */
export function parseAddress(text: string, field?: string): ContentAddress {
  const fault = addressFault(text);
  if (fault !== undefined)
    throw new ArtifactstoreError('invalid_address', `The content address ${fault}.`, field === undefined ? {} : { field });
  return text as ContentAddress;
}

export function isAddress(text: string): text is ContentAddress {
  return addressFault(text) === undefined;
}

export function formatAddress(algorithm: string, digest: Uint8Array | string): ContentAddress {
  return parseAddress(`${algorithm}:${typeof digest === 'string' ? digest : toHex(digest)}`);
}

export function splitAddress(address: ContentAddress): { readonly algorithm: string; readonly hex: string } {
  const colon = address.indexOf(':');
  return { algorithm: address.slice(0, colon), hex: address.slice(colon + 1) };
}

function addressFault(text: string): string | undefined {
  if (typeof text !== 'string') return 'is not a string';
  const colon = text.indexOf(':');
  if (colon < 0) {
    const bare = /^(?:[0-9a-f]{64})$/i.test(text) ? `; write sha256:${text.toLowerCase()} for a SHA-256, or blake3:… for a BLAKE3` : '';
    return `has no ":" between algorithm and hex${bare}`;
  }
  const algorithm = text.slice(0, colon);
  const hex = text.slice(colon + 1);
  if (algorithm === '') return 'names no algorithm';
  if (!/^[a-z][a-z0-9_-]*$/.test(algorithm)) return 'has an algorithm other than [a-z][a-z0-9_-]*';
  if (hex === '') return 'has no digest';
  if (/[^0-9a-f]/.test(hex)) return 'has a digest other than lowercase hex';
  if (hex.length % 2 !== 0) return 'has an odd number of hex digits';
  const known = Object.hasOwn(algorithms, algorithm) ? algorithms[algorithm as Algorithm] : undefined;
  if (known !== undefined && hex.length !== 2 * known.digestBytes)
    return `has ${hex.length} hex digits where ${algorithm} has ${2 * known.digestBytes}`;
  return undefined;
}
