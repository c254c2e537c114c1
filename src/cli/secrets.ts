import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ArtifactstoreError } from '../kernel/error.ts';
import { localFileError } from '../runtime/file-error.ts';
import { readAtMost } from '../runtime/read-at-most.ts';
import { type Catalog, type CatalogFile, readCatalogs } from '../secrets/check/catalog.ts';
import { checkSecrets } from '../secrets/check/check.ts';
import { readConsumers, type SecretUse } from '../secrets/check/consumers.ts';
import { findingsError } from '../secrets/check/references.ts';
import { openSecrets } from '../secrets/open.ts';
import { parseSecretsPlace } from '../secrets/place.ts';
import type { Secrets, SecretsConfig } from '../secrets/SECRETS.ts';
import type { Context } from './context.ts';
import { collectRefusals, type Refusals } from './refusals.ts';

/** The options of every command that looks at a catalog. */
export interface CatalogOptions {
  readonly catalog: readonly string[];
  readonly consumers?: readonly string[];
  readonly store?: string;
  /** Whether a directory may be empty. */
  readonly create?: boolean;
}

export interface OpenCatalog {
  readonly catalog: Catalog;
  readonly uses: readonly SecretUse[] | undefined;
  readonly secrets: Secrets;
}

/** Reads the files that the options name and opens the store; `work` is done with them. */
export async function withCatalog<T>(context: Context, options: CatalogOptions, work: (opened: OpenCatalog) => Promise<T>): Promise<T> {
  const store = storeOf(context, options);
  const { auth, namespace } = context.config.secrets;
  const refusals = collectRefusals();
  const { consumers } = options;
  const catalogs = await filesOf(context, refusals, options.catalog, '--catalog');
  // Each alone first: one that is something else would hide the others.
  for (const file of catalogs) await refusals.attempt(() => readCatalogs([file]));
  const users = consumers === undefined ? undefined : await filesOf(context, refusals, consumers, '--consumers');
  for (const file of users ?? []) await refusals.attempt(() => readConsumers([file], store));
  refusals.throwAny();
  const catalog = readCatalogs(catalogs);
  const uses = users === undefined ? undefined : readConsumers(users, store);
  const environment = store.kind === 'environment' ? context.environment : context.config.referenced;
  const secrets = openSecrets(store, { environment, auth, namespace, mayBeEmpty: options.create === true });
  try {
    return await work({ catalog, uses, secrets });
  } finally {
    await secrets.close();
  }
}

/** Of a command that does not begin while a secret is missing. */
export interface SecretsFirst {
  readonly secretsCatalog?: readonly string[];
  readonly secretsConsumers?: readonly string[];
}

export function addSecretsFirst(command: Command): Command {
  return command
    .option('--secrets-catalog <file...>', 'do nothing while a secret of this catalog is not as it should be')
    .option('--secrets-consumers <file...>', 'with --secrets-catalog: look at what these refer to only');
}

/**
 * What such a command calls before it does anything: all that is wrong is one `invalid_configuration`. Without a
 * catalog nothing is looked at.
 */
export async function requireSecrets(context: Context, { secretsCatalog, secretsConsumers }: SecretsFirst): Promise<void> {
  if (secretsCatalog === undefined) {
    if (secretsConsumers === undefined) return;
    throw new ArtifactstoreError('invalid_configuration', '--secrets-consumers goes with --secrets-catalog.', {
      field: '--secrets-consumers',
    });
  }
  const consumers = secretsConsumers === undefined ? {} : { consumers: secretsConsumers };
  const { ok, findings } = await withCatalog(context, { catalog: secretsCatalog, ...consumers }, checkSecrets);
  if (!ok) throw findingsError(findings, 'secrets of the catalog', '--secrets-catalog');
}

function storeOf({ config, directory }: Context, { store }: CatalogOptions): SecretsConfig {
  if (store === undefined) {
    if (config.secrets.store !== undefined) return config.secrets.store;
    throw new ArtifactstoreError('invalid_configuration', 'There is no store of secrets to look at.', {
      field: '--store',
      info: { hint: 'name it with --store, or set ARTIFACTSTORE_SECRETS: env, file:/directory or vault:https://host:8200/MOUNT/PATH' },
    });
  }
  try {
    return parseSecretsPlace(store.replace(/^file:(?!\/)/, () => `file:${directory}/`));
  } catch (error) {
    throw new ArtifactstoreError('invalid_configuration', `--store: ${(error as Error).message}.`, { field: '--store', cause: error });
  }
}

/** Those that can be read. */
async function filesOf(
  { directory }: Context,
  refusals: Refusals,
  paths: readonly string[],
  option: string,
): Promise<readonly CatalogFile[]> {
  const files: CatalogFile[] = [];
  for (const path of paths) {
    const bytes = await refusals.attempt(() => readGiven(resolve(directory, path), path, option));
    if (bytes !== undefined) files.push({ path, bytes });
  }
  return files;
}

async function readGiven(path: string, shown: string, field: string): Promise<Uint8Array> {
  const bytes = await readAtMost(path, longestFile).catch((error: unknown) => {
    throw localFileError(error, shown, 'read', { field });
  });
  if (bytes.length <= longestFile) return bytes;
  throw new ArtifactstoreError('invalid_configuration', `"${shown}" is longer than ${longestFile} bytes.`, { field });
}

const longestFile = 4_194_304;
