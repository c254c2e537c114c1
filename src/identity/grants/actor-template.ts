import type { JsonObject } from '../../kernel/format/json-value.ts';
import { type ClaimName, claimOf, parseClaimName } from './claim-name.ts';

/** Text, and claims whose values are put between. */
export type ActorTemplate = readonly (string | ClaimName)[];

/** Of an actor, in characters; what is longer is cut and ends in `…`. */
export const longestActor = 256;

/**
 * `github:acme/app@{ref}`: a claim's name, or a JSON pointer, between braces. It begins with text of its own, so that
 * whoever chooses what is in a token cannot act under a name that the file did not give. Throws an Error that says what
 * is wrong.
 */
export function parseActorTemplate(text: string): ActorTemplate {
  if (text === '' || text.length > longestActor) throw new Error(`actor must be text of 1 to ${longestActor} characters`);
  if (unprintable.test(text)) throw new Error('actor has a character that cannot be printed');
  const parts = text.split(/(\{[^{}]*\})/).filter((part) => part !== '');
  const template = parts.map((part) => {
    if (part.startsWith('{') && part.endsWith('}')) return parseClaimName(part.slice(1, -1));
    if (/[{}]/.test(part)) throw new Error('actor has a brace without its other: a claim is written {name}');
    return part;
  });
  const [first] = template;
  if (typeof first !== 'string' || !/^[\p{L}\p{N}]/u.test(first))
    throw new Error(
      'actor must begin with text of its own, a letter or a digit first, such as "github:{repository}": ' +
        'or whoever chooses the claim could act under the name of somebody else',
    );
  return template;
}

/**
 * Who acts, by the claims; or the claim that is needed for it, where the token does not have it as text, number, true
 * or false. What cannot be printed is replaced by U+FFFD.
 */
export function renderActor(template: ActorTemplate, claims: JsonObject): { readonly actor: string } | { readonly missing: string } {
  let actor = '';
  for (const part of template) {
    if (typeof part === 'string') {
      actor += part;
      continue;
    }
    const value = claimOf(claims, part);
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return { missing: part.text };
    actor += String(value).toWellFormed().replace(everyUnprintable, '\uFFFD');
  }
  const characters = [...actor];
  return { actor: characters.length <= longestActor ? actor : `${characters.slice(0, longestActor - 1).join('')}…` };
}

/** Control and format characters (which turn text around), and line ends. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const everyUnprintable = new RegExp(unprintable.source, 'gu');
