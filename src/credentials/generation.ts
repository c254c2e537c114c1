import { ArtifactstoreError } from '../kernel/error.ts';
import { parseJson } from '../kernel/format/json-parser.ts';
import { isJsonObject, type JsonObject } from '../kernel/format/json-value.ts';
import type { Secrets } from '../secrets/SECRETS.ts';
import type { Credentials, Keys } from './CREDENTIALS.ts';
import { type OnUnread, watchReading } from './unread.ts';

export interface GenerationCredentialsOptions {
  readonly role: 'admin' | 'proxy';
  /** The setting that names the store, for messages. */
  readonly setting: string;
  /** How often the pointer is looked at; 1,000 by default. */
  readonly checkMilliseconds?: number;
  readonly now?: () => number;
  /** Told of a place that cannot be read for a while, although there are keys. */
  readonly onUnread?: OnUnread | undefined;
}

/**
 * The keys of the current generation, as `artifactstore provider rotate` keeps them: a pointer, and one document with
 * the keys of both roles. The pointer is written last, so what it names is whole; what is not is not taken, and the
 * keys that are in use stay. Another generation is taken under a running server, soon after the interval, or at once
 * when the store refuses the keys: who has keys does not wait for a place that may not answer. Errors:
 * `invalid_configuration` until keys were had for the first time, afterwards `storage_unavailable`, and only when those
 * are refused.
 */
export function generationCredentials(secrets: Secrets, options: GenerationCredentialsOptions): Credentials {
  const { role, setting, checkMilliseconds = 1000, now = Date.now } = options;
  const reading = watchReading(now, options.onUnread);
  let current: { readonly generation: number; readonly keys: Keys } | undefined;
  let isRefused = false;
  let lookedAt = 0;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    try {
      const pointer = await documentOf(secrets, 'provider/current');
      const { generation } = pointer;
      // It can say of the first ones alone that they never become the current one.
      if (typeof generation !== 'number') throw new Error('provider/current names no generation: run artifactstore provider rotate');
      if (generation !== current?.generation) {
        current = { generation, keys: keysOf(await documentOf(secrets, `provider/generations/${generation}`), generation, role) };
        isRefused = false;
      }
      reading.succeeded();
      if (isRefused) throw new Error(`the store refuses the keys of generation ${generation}, and there is no other`);
    } catch (error) {
      // Keys that work are not given up because the place of the next ones does not answer.
      if (current === undefined || isRefused) throw unusable(error, secrets.place, setting, current === undefined);
      reading.failed(`${secrets.place}: ${reasonOf(error)}`);
    } finally {
      lookedAt = now();
    }
  }

  function begin(): Promise<void> {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  return {
    async keys() {
      if (current !== undefined && !isRefused) {
        if (Math.abs(now() - lookedAt) >= checkMilliseconds) begin().catch(() => undefined);
        return current.keys;
      }
      // One that is under way may have begun before the keys were refused.
      await looking?.catch(() => undefined);
      if (current === undefined || isRefused) await begin();
      return current!.keys;
    },
    refused(keys) {
      if (keys === current?.keys) isRefused = true;
    },
    unread: () => reading.unread(),
  };
}

async function documentOf(secrets: Secrets, name: string): Promise<JsonObject> {
  const found = await secrets.get(name);
  if (found === undefined) throw new Error(`there is no ${name}: run artifactstore provider rotate`);
  let value: unknown;
  try {
    value = parseJson(Buffer.from(found.value.reveal()));
  } catch {
    // Without its cause, which quotes what it could not read.
  }
  if (isObject(value) && value.format === 1) return value;
  throw new Error(`${name} is not a document of this software`);
}

function isObject(value: unknown): value is JsonObject {
  return isJsonObject(value as JsonObject | undefined);
}

function keysOf(document: JsonObject, generation: number, role: 'admin' | 'proxy'): Keys {
  const own = document[role];
  if (document.generation !== generation || !isJsonObject(own)) throw new Error(`generation ${generation} was ended`);
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, session_token: sessionToken, expires_at: end } = own;
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string')
    throw new Error(`generation ${generation} has no keys for ${role}`);
  const expiresAtMilliseconds = typeof end === 'string' ? Date.parse(end) : Number.NaN;
  return Object.freeze({
    accessKeyId,
    secretAccessKey,
    ...(typeof sessionToken === 'string' ? { sessionToken } : {}),
    ...(Number.isNaN(expiresAtMilliseconds) ? {} : { expiresAtMilliseconds }),
  });
}

function unusable(error: unknown, place: string, setting: string, isFirst: boolean): ArtifactstoreError {
  const reason = reasonOf(error);
  const lead = isFirst ? 'The keys of the store cannot be read' : 'The store refuses the keys';
  return new ArtifactstoreError(
    isFirst ? 'invalid_configuration' : 'storage_unavailable',
    `${lead} from ${place}: ${reason}. See ${setting}`,
    {
      field: setting,
      info: { names: [setting] },
      cause: error,
    },
  );
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
}
