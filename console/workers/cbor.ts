/**
 * As much of canonical CBOR (docs/format.md, section 5) as a manifest and a link of the chain have. The kernel's own is
 * written for Node's buffers.
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let at = 0;

  /** Where the next bytes are, which are then behind. */
  const skip = (length: number): number => {
    at += length;
    return at - length;
  };
  const lengthOf = (info: number): number => {
    if (info < 24) return info;
    if (info > 27) throw new Error('The item has no length.');
    const size = 1 << (info - 24);
    const from = skip(size);
    if (size === 1) return view.getUint8(from);
    if (size === 2) return view.getUint16(from);
    if (size === 4) return view.getUint32(from);
    const value = Number(view.getBigUint64(from));
    if (!Number.isSafeInteger(value)) throw new Error('The number is too large.');
    return value;
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new Error('The bytes end early.');
    const from = skip(length);
    return bytes.subarray(from, at);
  };
  const simple = (info: number): unknown => {
    if (info === 20) return false;
    if (info === 21) return true;
    if (info === 22) return null;
    if (info === 25) return half(view.getUint16(skip(2)));
    if (info === 26) return view.getFloat32(skip(4));
    if (info === 27) return view.getFloat64(skip(8));
    throw new Error('The value is of no known kind.');
  };
  const item = (depth: number): unknown => {
    if (depth > 200) throw new Error('It is nested too deeply.');
    const first = view.getUint8(skip(1));
    const major = first >> 5;
    const info = first & 31;
    if (major === 7) return simple(info);
    const length = lengthOf(info);
    switch (major) {
      case 0:
        return length;
      case 1:
        return -1 - length;
      case 2:
        return take(length);
      case 3:
        return texts.decode(take(length));
      case 4: {
        const items: unknown[] = [];
        for (let index = 0; index < length; index++) items.push(item(depth + 1));
        return items;
      }
      case 5: {
        const entries: [string, unknown][] = [];
        for (let index = 0; index < length; index++) entries.push([String(item(depth + 1)), item(depth + 1)]);
        return Object.fromEntries(entries);
      }
      default:
        throw new Error('Tags are not used.');
    }
  };

  const value = item(0);
  if (at !== bytes.length) throw new Error('There are bytes behind the item.');
  return value;
}

/** IEEE 754 binary16. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * 2 ** -24 * fraction;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * 2 ** (exponent - 25) * (1024 + fraction);
}

/** The canonical CBOR of an array of whole numbers and texts. */
export function encodeFlat(items: readonly (number | string)[]): Uint8Array<ArrayBuffer> {
  const parts: number[] = [];
  const head = (major: number, length: number): void => {
    const size = length < 24 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x100000000 ? 4 : 8;
    parts.push((major << 5) | (size === 0 ? length : 24 + Math.log2(size)));
    for (let byte = size - 1; byte >= 0; byte--) parts.push(Math.floor(length / 2 ** (8 * byte)) % 256);
  };
  head(4, items.length);
  for (const each of items)
    if (typeof each === 'number') head(0, each);
    else {
      const text = new TextEncoder().encode(each);
      head(3, text.length);
      parts.push(...text);
    }
  return Uint8Array.from(parts);
}
