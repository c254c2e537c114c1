/**
 * The content addresses that a text can mean: `sha256:<hex>`, hex alone, as `sha256sum` prints it with a name behind,
 * or base64, as HTTP and Subresource Integrity have it; an address also in the quotes of an `ETag`.
 */
export function addressesIn(text: string): readonly string[] {
  const address = /^(?:W\/)?("?)(sha256|blake3)[:-]([0-9a-f]{64})\1$/i.exec(text);
  if (address !== null) return [`${address[2]!.toLowerCase()}:${address[3]!.toLowerCase()}`];
  const hex = /^([0-9a-f]{64})(?:\s.*)?$/i.exec(text)?.[1]?.toLowerCase();
  if (hex !== undefined) return [`sha256:${hex}`, `blake3:${hex}`];
  const base64 = /^(?:sha-?256[-=]):?([A-Za-z0-9+/]{43}=):?$/.exec(text)?.[1];
  if (base64 === undefined) return [];
  return [`sha256:${[...atob(base64)].map((character) => character.charCodeAt(0).toString(16).padStart(2, '0')).join('')}`];
}
