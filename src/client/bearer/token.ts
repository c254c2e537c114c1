import { ArtifactstoreError } from '../../kernel/error.ts';
import type { BearerSource } from './BEARER.ts';

/** A token, what gives one, or a source of them. */
export type Token = string | BearerSource | (() => string | Promise<string>);

/** What a user of the library gives, as a source. A function is called again when its token was refused or ends. */
export function sourceOf(token: Token): BearerSource {
  if (typeof token === 'object') return token;
  if (typeof token === 'string') return { take: async () => checked(token, 'The token') };
  return { take: async () => checked(await token(), 'The token that `token` gave') };
}

/** A token as it can be sent, white space around it removed; nothing of it is in the message. */
export function checked(text: string, what: string, hint?: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  const why = token === '' ? 'is empty' : 'is not one word of plain ASCII characters';
  throw new ArtifactstoreError('invalid_configuration', `${what} ${why}.`, hint === undefined ? {} : { info: { hint } });
}
