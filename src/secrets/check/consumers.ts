import { basename } from 'node:path';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { parseJson } from '../../kernel/format/json-parser.ts';
import { isJsonObject, type JsonValue } from '../../kernel/format/json-value.ts';
import { plainText } from '../../protocol/plain-text.ts';
import type { SecretsConfig } from '../SECRETS.ts';
import type { CatalogFile } from './catalog.ts';

/** That a consumer reads a secret: by its name, or by the path of a template that leads elsewhere. */
export interface SecretUse {
  readonly consumer: string;
  readonly secret: string;
}

/**
 * What consumers refer to. A `.json` file says it (schemas/secret-consumers.v1.json). Any other is the job, template or
 * settings file of a consumer with the file's name: in it, `secret "MOUNT/data/PATH"` is a reference, as the templates
 * of Nomad and of the agents of Vault and OpenBao have it, and so is `secret:NAME`. Errors: `invalid_configuration`.
 */
export function readConsumers(files: readonly CatalogFile[], store: SecretsConfig): readonly SecretUse[] {
  const uses = files.flatMap(({ path, bytes }) => (path.endsWith('.json') ? declaredUses(path, bytes) : usesInText(path, bytes, store)));
  return [...new Map(uses.map((use) => [JSON.stringify([use.consumer, use.secret]), use])).values()];
}

function declaredUses(path: string, bytes: Uint8Array): SecretUse[] {
  const refuse = (what: string, cause?: unknown): never => {
    throw new ArtifactstoreError('invalid_configuration', `The file of consumers ${path} ${what}.`, {
      field: '--consumers',
      info: { path },
      cause,
    });
  };
  let value: JsonValue | undefined;
  try {
    value = parseJson(bytes, { maximumValues: 200_000 });
  } catch (error) {
    refuse(`is no JSON: ${error instanceof ArtifactstoreError ? error.message.replace(/\.$/, '') : 'unknown'}`, error);
  }
  if (value === undefined || !isJsonObject(value) || !isJsonObject(value.consumers ?? null)) return refuse('has no object "consumers"');
  const unknown = Object.keys(value).find((key) => key !== 'consumers' && key !== '$schema');
  if (unknown !== undefined) return refuse(`has a member ${JSON.stringify(unknown)}, which is not known`);
  return Object.entries(value.consumers as Record<string, JsonValue>).flatMap(([consumer, names]) => {
    if (!Array.isArray(names)) return refuse(`has no list of secrets for "${consumer}"`);
    return names.map((secret) => (typeof secret === 'string' ? { consumer, secret } : refuse(`has what is no name for "${consumer}"`)));
  });
}

function usesInText(path: string, bytes: Uint8Array, store: SecretsConfig): SecretUse[] {
  const consumer = basename(path).replace(/\..*$/, '') || basename(path);
  const plain = plainText(bytes);
  // Nothing would be found in it, and all that it refers to would be told as right.
  if ('problem' in plain)
    throw new ArtifactstoreError('invalid_configuration', `The file of consumers ${path} cannot be looked through: ${plain.problem}.`, {
      field: '--consumers',
      info: { path },
    });
  const { text } = plain;
  const templates = [...text.matchAll(/\bsecret\s+(?:"([^"\n]+)"|`([^`\n]+)`)/g)].map(([, quoted, raw]) =>
    nameOf(quoted ?? raw ?? '', store),
  );
  const direct = [...text.matchAll(/\bsecret:([A-Za-z0-9_][A-Za-z0-9._/-]*(?:#[A-Za-z0-9_][A-Za-z0-9._-]*)?)/g)].map(
    ([, name = '']) => name,
  );
  return [...templates, ...direct].map((secret) => ({ consumer, secret }));
}

/** Of what lies below another mount or path the whole path stays: no declaration has it. */
function nameOf(path: string, store: SecretsConfig): string {
  const [, mount, rest] = /^\/?([^/]+)\/data\/(.+)$/.exec(path) ?? [];
  if (mount === undefined || rest === undefined) return path;
  if (store.kind !== 'vault') return rest;
  const prefix = store.path === '' ? '' : `${store.path}/`;
  return mount === store.mount && rest.startsWith(prefix) ? rest.slice(prefix.length) : path;
}
