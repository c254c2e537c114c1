import type { Secret } from '../secret.ts';

/** A value that is made here: of so many random bytes, or of as many characters as carry them. */
export interface Generated {
  readonly bytes: number;
  readonly encoding: Encoding;
}

export const encodings = ['base64url', 'hex', 'alphanumeric'] as const;
export type Encoding = (typeof encodings)[number];

/** What a value looks like. */
export interface Form {
  /** Exactly so many. */
  readonly characters: number | undefined;
  readonly alphabet: string | undefined;
}

export const alphabets: Readonly<Record<string, RegExp>> = {
  hex: /^[0-9a-f]*$/i,
  base64url: /^[A-Za-z0-9_-]*$/,
  alphanumeric: /^[A-Za-z0-9]*$/,
  printable: /^[\x21-\x7e]*$/,
};

export function charactersOf({ bytes, encoding }: Generated): number {
  if (encoding === 'hex') return 2 * bytes;
  return encoding === 'base64url' ? Math.ceil((bytes * 8) / 6) : Math.ceil((bytes * 8) / Math.log2(62));
}

/** The value that these random bytes make. `random` gives as many more as are asked for. */
export function generatedValue(generated: Generated, random: (bytes: number) => Uint8Array): string {
  const { bytes, encoding } = generated;
  if (encoding !== 'alphanumeric') return Buffer.from(random(bytes)).toString(encoding);
  const wanted = charactersOf(generated);
  let text = '';
  // Bytes of 248 and more are left out: the rest of 62 would make the first letters more likely.
  while (text.length < wanted) for (const byte of random(64)) if (byte < 248 && text.length < wanted) text += letters[byte % 62];
  return text;
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** What is wrong with a value by its form: half a sentence that has nothing of it. */
export function formFault(value: Secret, { characters, alphabet }: Form): string | undefined {
  const text = value.reveal();
  if (characters !== undefined && text.length !== characters) return `does not have ${characters} characters`;
  if (alphabet !== undefined && alphabets[alphabet]?.test(text) === false) return `is not ${alphabet}`;
  if (text.trim() !== text) return 'begins or ends with white space';
  return hasControl(text) ? 'has a control character' : undefined;
}

/** Lines may be many, as in a key in PEM form. */
function hasControl(text: string): boolean {
  return /[^\P{Cc}\t\r\n]/u.test(text);
}

/** Whether a value only holds the place of one, as templates and examples have it. */
export function isPlaceholder(value: Secret): boolean {
  return placeholder.test(value.reveal().trim());
}

const placeholder =
  /^(?:change[-_ ]?(?:me|it|this)\W*|replace[-_ ]?(?:me|this|with\b.*)|to[-_ ]?do|tbd|fix[-_ ]?me|placeholder|example|dummy|sample|password|your[-_ ].*|insert[-_ ].*|none|null|nil|undefined|n\/a|<[^<>]*>|\[[a-z _-]*\]|\([a-z _-]*\)|\{\{.*\}\}|\$\{.*\}|\$\(.*\)|(.)\1*)$/is;
