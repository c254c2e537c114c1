import { parseJson } from '../../kernel/format/json-parser.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/format/json-value.ts';
import type { Secret } from '../../secrets/secret.ts';
import { type Asker, notWhatItWasTakenFor } from '../ask.ts';
import { missingPermission, unusableAuthority } from '../refusal.ts';

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Behind `/accounts/{id}`, percent-encoded, with its query. */
  readonly path: string;
  readonly body?: JsonObject;
  /** What the call is for, as the beginning of a sentence: `The token's own metadata cannot be read`. */
  readonly failed: string;
  /** As the dashboard names it, for a refusal. Undefined where every token of the account may do it. */
  readonly permission: string | undefined;
}

export interface ApiAnswer {
  readonly status: number;
  readonly result: JsonValue | undefined;
  readonly page: JsonObject;
}

/** Calls of one account. A 404 is an answer; every other refusal is an error. */
export interface Api {
  call(authority: Secret, call: ApiCall): Promise<ApiAnswer>;
}

/** The envelope of every answer: `{success, errors: [{code, message}], messages, result, result_info?}`. */
export function createApi(asker: Asker, place: string, account: string): Api {
  return {
    async call(authority, { method, path, body, failed, permission }) {
      const answer = await asker.ask(() => ({
        method,
        path: `/accounts/${account}${path}`,
        headers: {
          authorization: `Bearer ${authority.reveal()}`,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }));
      const { status } = answer;
      const called = `${method} ${path.replace(/\?.*/, '')}`;
      const envelope = envelopeOf(answer.text);
      if (envelope === undefined || typeof envelope.success !== 'boolean')
        throw notWhatItWasTakenFor(
          place,
          `answers ${status} to ${called} with something that is not the API's JSON (${sortOf(answer.contentType)})`,
        );
      const errors = errorsOf(envelope);
      const codes = errors.map(({ code }) => code);
      const isAddress = errors.some(({ code, message }) => code === accessCode && /from location/i.test(message));
      const isUnknown = codes.some((code) => unknownCodes.has(code)) || (codes.includes(accessCode) && !isAddress);
      if (status === 401 || ((status === 400 || status === 403) && isUnknown))
        throw unusableAuthority(
          'unknown',
          `${failed} (${toldOf(status, codes)}): the provider does not know the token, on account ${account}`,
          'look at the account and at the token: was it rolled, deleted, or made a moment ago? Make one under Manage Account > Account API Tokens',
        );
      if (status === 403 && isAddress)
        throw unusableAuthority(
          'address_restricted',
          `${failed} (${toldOf(status, codes)}): the token may not be used from this machine's address`,
          "take this machine's address into the token's client IP filter, or run this where the token may be used",
        );
      if (status === 403 && permission === undefined)
        throw unusableAuthority(
          'unknown',
          `${failed} (${toldOf(status, codes)}), which every token of the account ${account} can be`,
          'look at --account, and at the token under Manage Account > Account API Tokens',
        );
      if (status === 403)
        throw missingPermission(
          `${failed} (${toldOf(status, codes)})`,
          `${permission} on account ${account}`,
          `add the permission "${permission}" to the token under Manage Account > Account API Tokens, then run this again`,
        );
      if (status === 404) return { status, result: undefined, page: {} };
      if (status >= 300 || envelope.success !== true)
        throw notWhatItWasTakenFor(
          place,
          `refuses a call (${called}): ${toldOf(status, codes)}${envelope.success === true ? '' : ', success: false'}`,
        );
      return { status, result: envelope.result, page: isJsonObject(envelope.result_info) ? envelope.result_info : {} };
    },
  };
}

function envelopeOf(text: string): JsonObject | undefined {
  try {
    const value = parseJson(Buffer.from(text));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A message is looked at and never shown: it may repeat what was sent. */
function errorsOf({ errors }: JsonObject): readonly { readonly code: number; readonly message: string }[] {
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((each: JsonValue) =>
    isJsonObject(each) && typeof each.code === 'number' ? [{ code: each.code, message: String(each.message) }] : [],
  );
}

function toldOf(status: number, codes: readonly number[]): string {
  return codes.length === 0 ? String(status) : `${status}, code ${codes.join(', ')}`;
}

/** One of those that are known: a type may repeat what was sent, too. */
function sortOf(contentType: string): string {
  if (contentType === '') return 'no type';
  return knownTypes.exec(contentType)?.[0] ?? 'an unknown type';
}

const knownTypes = /^(text\/(html|plain|xml)|application\/(json|problem\+json|xml|octet-stream))\b/;

/** 6003 and 6111: the header is not what it should be; 1000: no such token; 10001: it does not authenticate. */
const unknownCodes: ReadonlySet<number> = new Set([1000, 6003, 6111, 10001]);
/** An access token that is not valid here, or not from this address. */
const accessCode = 9109;
