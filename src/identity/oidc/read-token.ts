import { isArtifactstoreError } from '../../kernel/error.ts';
import { parseJson } from '../../kernel/format/json-parser.ts';
import { isJsonObject, type JsonObject } from '../../kernel/format/json-value.ts';
import { refused } from './refusal.ts';

/** Longer ones are refused before anything of them is decoded. Those of platforms have one or two thousand. */
export const maximumTokenCharacters = 16_384;
const maximumValues = 2_000;
const maximumDepth = 16;

/** What a token says of itself. Nobody has confirmed a word of it. */
export interface UnverifiedToken {
  readonly algorithm: string;
  /** The name of the key that signed it; undefined where it names none. */
  readonly keyId: string | undefined;
  readonly claims: JsonObject;
}

/** Whether the text has the form of a JSON Web Token, as against a token that only its server knows. */
export function hasTokenForm(text: string): boolean {
  // What begins with `{`, with or without a space or the end of a line after it.
  return /^e[yw][\w-]*\.[\w-]*\.[\w-]*(\.[\w-]*\.[\w-]*)?$/.test(text);
}

/**
 * Takes a JSON Web Token apart (RFC 7519; JWS compact serialization, RFC 7515 section 7.1) without a look at its
 * signature. Only what is read here of the header counts: where it says that a key is (`jku`, `x5u`, `jwk`, `x5c`) is
 * not even looked at. Errors: `unauthorized`.
 */
export function readToken(token: string): UnverifiedToken {
  if (token.length > maximumTokenCharacters) throw refused(`it is longer than ${maximumTokenCharacters} characters`);
  const parts = token.split('.', 6);
  if (parts.length === 5) throw refused('it is encrypted, and only signed ones are taken');
  const [head, body, signature] = parts;
  if (parts.length !== 3 || head === undefined || body === undefined || signature === undefined)
    throw refused('it is not a JSON Web Token, which has three parts with a "." between them');
  if (![head, body, signature].every((part) => /^[\w-]*$/.test(part))) throw refused('it is not in base64url');

  const header = decoded(head, 'header');
  const { alg, kid, crit, typ } = header;
  if (typeof alg !== 'string') throw refused('its header names no algorithm ("alg")');
  // RFC 7515, section 4.1.11: whoever does not understand all that is critical must refuse.
  if (crit !== undefined) throw refused('its header has critical extensions ("crit"), and none are understood here');
  if (kid !== undefined && typeof kid !== 'string') throw refused('its header names a key ("kid") that is not a string');
  if (typ !== undefined && (typeof typ !== 'string' || !acceptedTypes.test(typ)))
    throw refused('its type ("typ") is neither "JWT" nor "at+jwt": it was made for something else');
  return { algorithm: alg, keyId: kid, claims: decoded(body, 'payload') };
}

/**
 * Issuers sign other things with the same keys, such as notices that somebody logged out, and name their type to keep
 * them apart (RFC 8725, section 3.11).
 */
const acceptedTypes = /^(application\/)?(jwt|jose|at\+jwt)$/i;

function decoded(part: string, what: string): JsonObject {
  try {
    const value = parseJson(Buffer.from(part, 'base64url'), { maximumDepth, maximumValues });
    if (isJsonObject(value)) return value;
  } catch (error) {
    if (!isArtifactstoreError(error)) throw error;
    throw refused(`its ${what} is not good JSON (a name twice in one object is not either)`, error);
  }
  throw refused(`its ${what} is not a JSON object`);
}
