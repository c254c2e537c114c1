import { isUtf8 } from 'node:buffer';

/** The text of a file that people write, or why it is none: half a sentence about it. */
export function plainText(bytes: Uint8Array): { readonly text: string } | { readonly problem: string } {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return { problem: 'it is text in UTF-16: save it as UTF-8, without a byte order mark' };
  return isUtf8(bytes) && !bytes.includes(0) ? { text: Buffer.from(bytes).toString() } : { problem: 'it is no text in UTF-8' };
}
