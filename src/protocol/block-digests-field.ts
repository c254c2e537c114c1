import { parseItem } from 'structured-headers';

/** The field `Artifactstore-Block-Digests`: BLAKE3 digests one after the other, as one byte sequence of RFC 9651. */
export const blockDigestsField = 'artifactstore-block-digests';

export function formatBlockDigestsField(digests: Uint8Array): string {
  return `:${Buffer.from(digests).toString('base64')}:`;
}

/** The digests, 32 bytes each and at least one; undefined when the field is malformed. */
export function parseBlockDigestsField(value: string): Uint8Array | undefined {
  try {
    const [item, parameters] = parseItem(value);
    if (!(item instanceof ArrayBuffer) || parameters.size > 0) return undefined;
    return item.byteLength > 0 && item.byteLength % 32 === 0 ? new Uint8Array(item) : undefined;
  } catch {
    return undefined;
  }
}
