/** A text that a secret may show up as, and how it became that. */
export interface SecretForm {
  readonly form: 'plain' | 'percent' | 'base64' | 'hex' | 'json';
  readonly bytes: Uint8Array;
}

/** A shorter value is found by chance too often. */
export const shortestSecret = 8;

/**
 * Every way in which a value slips into other texts: as it is, percent-encoded (RFC 3986, as programs do it and byte by
 * byte), within base64 and base64url (RFC 4648) at each of the three alignments, as hex digits, and as a JSON string.
 */
export function formsOf(value: string): readonly SecretForm[] {
  const found = new Map<string, SecretForm>();
  const add = (form: SecretForm['form'], text: string): void => {
    if (text.length >= shortestSecret && !found.has(text)) found.set(text, { form, bytes: Buffer.from(text) });
  };
  add('plain', value);
  const bytes = Buffer.from(value);
  const hex = bytes.toString('hex');
  const everyByte = hex.replace(/../g, '%$&');
  for (const text of [encodeURIComponent(value), encodeURI(value), strictly(value), everyByte]) {
    add('percent', text);
    add(
      'percent',
      text.replace(/%[0-9a-f]{2}/gi, (code) => code.toLowerCase()),
    );
    add(
      'percent',
      text.replace(/%[0-9a-f]{2}/gi, (code) => code.toUpperCase()),
    );
  }
  for (let before = 0; before < 3; before++) {
    const text = withinBase64(bytes, before);
    add('base64', text);
    add('base64', text.replaceAll('+', '-').replaceAll('/', '_'));
  }
  add('hex', hex);
  add('hex', hex.toUpperCase());
  add('json', JSON.stringify(value).slice(1, -1));
  return [...found.values()];
}

/** Also what `encodeURIComponent` leaves as it is and others do not. */
function strictly(value: string): string {
  return encodeURIComponent(value).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** What of the base64 depends on these bytes alone, with so many others before them and any behind. */
function withinBase64(bytes: Uint8Array, before: number): string {
  const text = Buffer.concat([Buffer.alloc(before), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const first = Math.ceil((before * 8) / 6);
  const last = Math.floor(((before + bytes.length) * 8) / 6);
  return text.slice(first, last);
}
