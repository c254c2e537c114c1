import { resolve } from 'node:path';
import { ArtifactstoreError } from '../kernel/error.ts';
import { localFileError } from '../runtime/file-error.ts';
import { readAtMost } from '../runtime/read-at-most.ts';
import { type Catalog, type CatalogFile, readCatalogs } from '../secrets/check/catalog.ts';
import { checkSecrets } from '../secrets/check/check.ts';
import { readConsumers, type SecretUse } from '../secrets/check/consumers.ts';
import { findingLine, type SecretsReport } from '../secrets/check/report.ts';
import { openSecrets } from '../secrets/open.ts';
import { parseSecretsPlace } from '../secrets/place.ts';
import type { Secrets, SecretsConfig } from '../secrets/SECRETS.ts';
import type { Context } from './context.ts';

/** The options of every command that looks at a catalog. */
export interface CatalogOptions {
  readonly catalog: readonly string[];
  readonly consumers?: readonly string[];
  readonly store?: string;
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
  const catalog = readCatalogs(await filesOf(context, options.catalog, '--catalog'));
  const uses = options.consumers === undefined ? undefined : readConsumers(await filesOf(context, options.consumers, '--consumers'), store);
  const environment = store.kind === 'environment' ? context.environment : context.config.referenced;
  const secrets = openSecrets(store, { environment, auth, namespace });
  try {
    return await work({ catalog, uses, secrets });
  } finally {
    await secrets.close();
  }
}

/**
 * For a command that shall not begin while a secret is missing: all that is wrong, in one `invalid_configuration`, or
 * nothing at all.
 */
export async function requireSecrets(context: Context, options: CatalogOptions): Promise<SecretsReport> {
  const report = await withCatalog(context, options, checkSecrets);
  if (report.ok) return report;
  const { findings } = report;
  const lead = findings.length === 1 ? 'A secret is not as it should be' : `${findings.length} secrets are not as they should be`;
  throw new ArtifactstoreError('invalid_configuration', `${lead}:\n${findings.map((each) => `  ${findingLine(each)}`).join('\n')}`, {
    field: '--catalog',
    info: { findings },
  });
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

async function filesOf({ directory }: Context, paths: readonly string[], option: string): Promise<readonly CatalogFile[]> {
  return await Promise.all(
    paths.map(async (path) => {
      try {
        const bytes = await readAtMost(resolve(directory, path), longestFile);
        if (bytes.length <= longestFile) return { path, bytes };
      } catch (error) {
        throw localFileError(error, path, 'read', { field: option });
      }
      throw new ArtifactstoreError('invalid_configuration', `"${path}" is longer than ${longestFile} bytes.`, { field: option });
    }),
  );
}

const longestFile = 4_194_304;
