import { createHash } from 'node:crypto';

export interface BearerToken {
  readonly token: string;
  /** Who acts with it, as the log records it. */
  readonly actor: string;
}

/**
 * Entries separated by commas or line ends, each `token` or `actor=token`. Equals signs at the end belong to the token
 * (base64 padding). Messages name every wrong entry by its number, never by its text.
 */
export function parseTokens(text: string): readonly BearerToken[] {
  const tokens: BearerToken[] = [];
  const faults: string[] = [];
  const entries = text.split(/[,\r\n]+/).map((entry) => entry.trim());
  for (const [index, entry] of entries.filter((one) => one !== '').entries()) {
    const [, actor, token = ''] = /^([^=]+)=([^=].*)$/s.exec(entry) ?? [undefined, undefined, entry];
    const fault =
      faultOf(actor?.trim(), token) ?? (tokens.some((earlier) => earlier.token === token) ? 'repeats an earlier token' : undefined);
    if (fault !== undefined) faults.push(`entry ${index + 1} ${fault}`);
    tokens.push({ token, actor: actor?.trim() ?? `token:${createHash('sha256').update(token).digest('hex').slice(0, 8)}` });
  }
  if (faults.length > 0) throw new Error([...faults.slice(0, mostFaults), ...(faults.length > mostFaults ? ['…'] : [])].join('; '));
  return tokens;
}

const mostFaults = 10;

function faultOf(actor: string | undefined, token: string): string | undefined {
  // RFC 6750 section 2.1: what can stand after "Bearer".
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(token)) return 'is not a bearer token: letters, digits and . _ ~ + / - only (or actor=token)';
  if (actor === undefined || /^[\p{L}\p{N}][\p{L}\p{N} ._:@/+-]{0,127}$/u.test(actor)) return undefined;
  return 'has an actor that is not a name of 1 to 128 letters, digits, spaces and . _ : @ / + -';
}

/** One token, as it is sent; the message says nothing of it. */
export function parseToken(text: string): string {
  const token = text.trim();
  if (token === '') throw new Error('is only white space; is a variable or a file that it is made from empty?');
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error('is not a token: one word of plain ASCII characters');
  return token;
}
