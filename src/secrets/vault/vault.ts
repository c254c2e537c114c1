import { setTimeout as sleep } from 'node:timers/promises';
import { isJsonObject, type JsonObject } from '../../kernel/format/json-value.ts';
import { conflict, forbidden, storable, unavailable, unusable } from '../failure.ts';
import type { Secrets, VaultAuth, VaultConfig } from '../SECRETS.ts';
import { secretOf } from '../secret.ts';
import { parseSecretName } from '../secret-name.ts';
import { type Answer, type AskOptions, createAsker, type Question } from './ask.ts';
import { createTokenSource } from './login.ts';

export interface VaultOptions extends Pick<AskOptions, 'connectMilliseconds' | 'answerMilliseconds'> {
  readonly auth: VaultAuth;
  readonly namespace?: string | undefined;
  /** Where `env:` references of `auth` are looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now?: () => number;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/** A document, as the engine has it now. `fields` is undefined where there is none, or its last version was deleted. */
interface Document {
  readonly version: number;
  readonly fields: JsonObject | undefined;
}

/**
 * The key-value engine of version 2 in a Vault or an OpenBao, by its HTTP API. A name is the path of a document below
 * the configured one; its value is the field `value`, or the one behind `#`. The other fields stay as they are when one
 * is put.
 *
 * That nothing is there is told by a 404 of this engine alone: one of a mount that is not there, or of the engine's
 * first version, which has other paths, is `secrets_unavailable`.
 */
export function vaultSecrets(config: VaultConfig, options: VaultOptions): Secrets {
  const { address, mount } = config;
  const place = [address, mount, config.path].filter((part) => part !== '').join('/');
  const { auth, namespace, environment, now = Date.now, wait = sleep, ...limits } = options;
  const asker = createAsker({ place, address, namespace, wait, ...limits });
  const tokens = createTokenSource({ auth, asker, place, environment, now });
  let isVersion2 = false;

  async function ask(question: Question, name: string, right: keyof typeof rights): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const token = await tokens.token();
      const answer = await asker.ask({ ...question, token });
      if (answer.said === 'no_route') throw noEngine(place, mount);
      if (answer.status !== 403) return answer;
      // A token may have been revoked or have ended since it was taken: another one is asked for, once.
      if (tokens.refused(token) && attempt === 1) continue;
      throw refusal(name, right);
    }
  }

  function refusal(name: string, right: keyof typeof rights): Error {
    const { verb, capabilities, engine } = rights[right];
    const at = [mount, engine, config.path, right === 'list' ? '' : parseSecretName(name).path].filter((part) => part !== '').join('/');
    return forbidden(
      place,
      name,
      `may not be ${verb} with this token (403)`,
      `its policy needs ${capabilities} on ${at}, if the token is still good`,
    );
  }

  function dataPath(name: string): string {
    return [mount, 'data', config.path, parseSecretName(name).path].filter((part) => part !== '').join('/');
  }

  async function read(name: string): Promise<Document> {
    const { status, body } = await ask({ method: 'GET', path: dataPath(name) }, name, 'read');
    const data = isJsonObject(body.data) ? body.data : undefined;
    const metadata = isJsonObject(data?.metadata) ? data.metadata : undefined;
    if (status === 404) {
      if (metadata === undefined) await requireVersion2();
      return { version: versionOf(metadata), fields: undefined };
    }
    if (status !== 200) throw unavailable(place, `answers with the status ${status}`, 'look at its log');
    if (data === undefined || metadata === undefined || !isJsonObject(data.data)) throw noEngine(place, mount);
    return { version: versionOf(metadata), fields: data.data };
  }

  /** Any token that may do something below a mount may ask what is mounted there. */
  async function requireVersion2(): Promise<void> {
    if (isVersion2) return;
    const { status, body } = await ask({ method: 'GET', path: `sys/internal/ui/mounts/${mount}` }, mount, 'read');
    const data = isJsonObject(body.data) ? body.data : {};
    if (status !== 200 || data.type !== 'kv' || !isJsonObject(data.options) || data.options.version !== '2') throw noEngine(place, mount);
    isVersion2 = true;
  }

  async function write(name: string, data: JsonObject, cas: number): Promise<Answer> {
    return await ask({ method: 'POST', path: dataPath(name), body: { options: { cas }, data } }, name, 'write');
  }

  async function namesBelow(prefix: string, found: string[]): Promise<string[]> {
    const path = [mount, 'metadata', config.path, prefix].filter((part) => part !== '').join('/');
    const { status, body } = await ask({ method: 'GET', path: `${path.replace(/\/$/, '')}/?list=true` }, prefix, 'list');
    if (status === 404) {
      await requireVersion2();
      return found;
    }
    const keys = isJsonObject(body.data) ? body.data.keys : undefined;
    if (status !== 200 || !Array.isArray(keys)) throw noEngine(place, mount);
    for (const key of keys) {
      if (typeof key !== 'string') continue;
      if (found.length >= mostNames) throw unavailable(place, `has more than ${mostNames} secrets`, 'name a path below it');
      if (key.endsWith('/')) await namesBelow(`${prefix}${key}`, found);
      else found.push(`${prefix}${key}`);
    }
    return found;
  }

  return {
    place,
    async get(name) {
      const { version, fields } = await read(name);
      const value = fields?.[parseSecretName(name).field ?? 'value'];
      if (value === undefined) return undefined;
      if (typeof value !== 'string') throw unusable(place, name, 'malformed', 'is no text: a field of a document that is one');
      if (value.trim() === '') throw unusable(place, name, 'empty', 'is empty');
      return { value: secretOf(value), version: String(version) };
    },
    async list() {
      return (await namesBelow('', [])).sort();
    },
    writer: {
      async put(name, value, expected) {
        const text = storable(name, value);
        const { version, fields } = await read(name);
        const field = parseSecretName(name).field ?? 'value';
        const there = fields?.[field] === undefined ? undefined : String(version);
        if (there !== expected) throw conflict(place, name);
        const { status, body, said } = await write(name, { ...fields, [field]: text }, version);
        if (said === 'version_differs') throw conflict(place, name);
        if (status !== 200 || !isJsonObject(body.data))
          throw unavailable(place, `answers a write with the status ${status}`, 'look at its log');
        return String(versionOf(body.data));
      },
      async probeWrite(name) {
        // Refused for its version by whoever may write, and for itself otherwise: nothing is written in any case.
        const { said, status } = await write(name, {}, impossibleVersion);
        if (said !== 'version_differs') throw unavailable(place, `answers a write with the status ${status}`, 'look at its log');
      },
    },
    close: () => asker.close(),
  };
}

const rights = {
  read: { verb: 'read', capabilities: '"read"', engine: 'data' },
  list: { verb: 'listed', capabilities: '"list"', engine: 'metadata' },
  write: { verb: 'written', capabilities: '"create" and "update"', engine: 'data' },
} as const;

const impossibleVersion = 2_147_483_647;
const mostNames = 10_000;

function versionOf(metadata: JsonObject | undefined): number {
  return typeof metadata?.version === 'number' ? metadata.version : 0;
}

function noEngine(place: string, mount: string): Error {
  return unavailable(
    place,
    `has no key-value engine of version 2 at "${mount}"`,
    'look at the mount in the address: vault:https://host:8200/MOUNT/PATH',
  );
}
