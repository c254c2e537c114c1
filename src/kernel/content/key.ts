import { type ContentAddress, isAddress, splitAddress } from './address.ts';

/**
 * The storage key of one generation of an object: `<algorithm>/<hex[0:2]>/<hex[2:4]>/<hex>` for generation 0, and that
 * plus `.<generation>` after. A key that was released or burnt is never used again; the generation sees to it.
 */
export function objectKey(address: ContentAddress, generation: number): string {
  const { algorithm, hex } = splitAddress(address);
  const plain = `${algorithm}/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex}`;
  return generation === 0 ? plain : `${plain}.${generation}`;
}

/** The address and generation that a key stands for, or undefined when it is not one of ours. */
export function parseObjectKey(key: string): { readonly address: ContentAddress; readonly generation: number } | undefined {
  const match = /^([a-z][a-z0-9_-]*)\/([0-9a-f]{2})\/([0-9a-f]{2})\/([0-9a-f]+)(?:\.([1-9][0-9]{0,14}))?$/.exec(key);
  if (match === null) return undefined;
  const [, algorithm, first, second, hex, generation] = match;
  const address = `${algorithm}:${hex}`;
  if (hex!.slice(0, 2) !== first || hex!.slice(2, 4) !== second || !isAddress(address)) return undefined;
  return { address, generation: generation === undefined ? 0 : Number(generation) };
}

/** In a backend that takes no drafts, the bytes of uploads that are not finished lie below it. */
export const uploadsPrefix = 'uploads/';
