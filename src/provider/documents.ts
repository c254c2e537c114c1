import type { Keys } from '../credentials/CREDENTIALS.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { parseJson } from '../kernel/format/json-parser.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/format/json-value.ts';
import { type Secret, secretOf } from '../secrets/secret.ts';
import { type ProviderKind, providerKinds, type Role, roles } from './PROVIDER.ts';

/** The names of the documents in a store of secrets; all are JSON objects with `format: 1`. */
export const documentNames = {
  pair: 'provider/admin-pair',
  steps: 'provider/provider_steps',
  current: 'provider/current',
  generation: (number: number): string => `provider/generations/${number}`,
} as const;

/** Two authorities of one account, so that one can mend the other. */
export interface AdminPair {
  readonly provider: ProviderKind;
  readonly account: string;
  readonly providerUrl: string | undefined;
  /** In every label, so that two stores of one account end their own keys alone; 8 hex digits. None in older pairs. */
  readonly storeId: string | undefined;
  readonly tokens: readonly PairToken[];
}

export interface PairToken {
  readonly slot: 'a' | 'b';
  readonly subject: string;
  readonly value: Secret;
  readonly expiresAtMilliseconds: number | undefined;
}

/** The keys of both roles, made together: one document, so that nobody takes half of them. */
export interface Generation {
  readonly generation: number;
  readonly provider: ProviderKind;
  readonly account: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly madeAt: string;
  readonly keys: Readonly<Record<Role, GenerationKeys>>;
}

export interface GenerationKeys {
  readonly id: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** Of temporary keys. */
  readonly sessionToken?: Secret;
  readonly expiresAtMilliseconds: number | undefined;
}

export function writePair({ provider, account, providerUrl, storeId, tokens }: AdminPair): Secret {
  return document({
    provider,
    account,
    ...(providerUrl === undefined ? {} : { provider_url: providerUrl }),
    ...(storeId === undefined ? {} : { store_id: storeId }),
    tokens: tokens.map(({ slot, subject, value, expiresAtMilliseconds }) => ({
      slot,
      subject,
      value: value.reveal(),
      ...written(expiresAtMilliseconds),
    })),
  });
}

export function readPair(text: Secret): AdminPair {
  const name = documentNames.pair;
  const { provider, account, provider_url: url, store_id: storeId, tokens } = parsed(text, name);
  if (!Array.isArray(tokens) || tokens.length !== 2) throw damaged(name);
  if (storeId !== undefined && !/^[0-9a-f]{8}$/.test(textOf(storeId, name))) throw damaged(name);
  return {
    provider: kindOf(provider, name),
    account: textOf(account, name),
    providerUrl: url === undefined ? undefined : textOf(url, name),
    storeId: storeId === undefined ? undefined : textOf(storeId, name),
    tokens: tokens.map((each: JsonValue) => {
      if (!isJsonObject(each) || (each.slot !== 'a' && each.slot !== 'b')) throw damaged(name);
      return {
        slot: each.slot,
        subject: textOf(each.subject, name),
        value: secretOf(textOf(each.value, name)),
        expiresAtMilliseconds: dateOf(each.expires_at),
      };
    }),
  };
}

export function writeGeneration({ generation, provider, account, bucket, prefix, madeAt, keys }: Generation): Secret {
  return document({
    generation,
    provider,
    account,
    bucket,
    prefix,
    made_at: madeAt,
    ...Object.fromEntries(
      roles.map((role) => {
        const { id, accessKeyId, secretAccessKey, sessionToken, expiresAtMilliseconds } = keys[role];
        const token = sessionToken === undefined ? {} : { session_token: sessionToken.reveal() };
        const own = { id, access_key_id: accessKeyId, secret_access_key: secretAccessKey.reveal(), ...token };
        return [role, { ...own, ...written(expiresAtMilliseconds) }];
      }),
    ),
  });
}

/** The keys as whoever signs takes them. */
export function signingKeys({ accessKeyId, secretAccessKey, sessionToken }: Omit<GenerationKeys, 'id' | 'expiresAtMilliseconds'>): Keys {
  const token = sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() };
  return { accessKeyId, secretAccessKey: secretAccessKey.reveal(), ...token };
}

/** What stays of a generation whose keys were ended: its number, and no key. */
export function writeEnded(generation: number, endedAt: string): Secret {
  return document({ generation, ended_at: endedAt });
}

/** `ended` where its keys were ended and are not there any more. */
export function readGeneration(text: Secret, number: number): Generation | 'ended' {
  const name = documentNames.generation(number);
  const read = parsed(text, name);
  if (read.generation !== number) throw damaged(name);
  if (read.ended_at !== undefined) return 'ended';
  const keysOf = (role: Role): GenerationKeys => {
    const own = read[role];
    if (!isJsonObject(own)) throw damaged(name);
    return {
      id: textOf(own.id, name),
      accessKeyId: textOf(own.access_key_id, name),
      secretAccessKey: secretOf(textOf(own.secret_access_key, name)),
      ...(own.session_token === undefined ? {} : { sessionToken: secretOf(textOf(own.session_token, name)) }),
      expiresAtMilliseconds: dateOf(own.expires_at),
    };
  };
  return {
    generation: number,
    provider: kindOf(read.provider, name),
    account: textOf(read.account, name),
    bucket: textOf(read.bucket, name),
    prefix: typeof read.prefix === 'string' ? read.prefix : '',
    madeAt: textOf(read.made_at, name),
    keys: { admin: keysOf('admin'), proxy: keysOf('proxy') },
  };
}

/** Where servers are pointed to, and where they never will be. */
export interface Pointer {
  /** Undefined before the first one, where all that was made was withdrawn. */
  readonly generation: number | undefined;
  /** Later generations whose keys are ended, or about to be. */
  readonly withdrawn: readonly number[];
}

export function writeCurrent({ generation, withdrawn }: Pointer): Secret {
  return document({
    ...(generation === undefined ? {} : { generation }),
    ...(withdrawn.length === 0 ? {} : { withdrawn }),
  });
}

export function readCurrent(text: Secret): Pointer {
  const { generation, withdrawn = [] } = parsed(text, documentNames.current);
  if (!Array.isArray(withdrawn) || !withdrawn.every(isNumber)) throw damaged(documentNames.current);
  if (isNumber(generation)) return { generation, withdrawn };
  if (generation !== undefined || withdrawn.length === 0) throw damaged(documentNames.current);
  return { generation: undefined, withdrawn };
}

function isNumber(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

export function document(fields: JsonObject): Secret {
  return secretOf(JSON.stringify({ format: 1, ...fields }));
}

/** A JSON object of format 1. Errors: `secret_unusable`, without anything of what is there. */
export function parsed(text: Secret, name: string): JsonObject {
  let value: JsonValue;
  try {
    value = parseJson(Buffer.from(text.reveal()));
  } catch {
    // Without its cause: that one quotes what it could not read.
    throw damaged(name);
  }
  if (!isJsonObject(value) || value.format !== 1) throw damaged(name);
  return value;
}

export function damaged(name: string): ArtifactstoreError {
  return new ArtifactstoreError(
    'secret_unusable',
    `The secret "${name}" is not a document of this software, or of a later version of it.`,
    {
      field: name,
      info: { fault: 'malformed', hint: 'was it written by hand? Bring back its version before, or put it aside under another name' },
    },
  );
}

function textOf(value: JsonValue | undefined, name: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw damaged(name);
}

function kindOf(value: JsonValue | undefined, name: string): ProviderKind {
  const found = providerKinds.find((kind) => kind === value);
  if (found === undefined) throw damaged(name);
  return found;
}

function written(milliseconds: number | undefined): JsonObject {
  return milliseconds === undefined ? {} : { expires_at: new Date(milliseconds).toISOString() };
}

function dateOf(value: JsonValue | undefined): number | undefined {
  const date = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : date;
}
