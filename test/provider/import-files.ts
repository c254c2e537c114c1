import assert from 'node:assert/strict';
import { type ArtifactstoreError, isArtifactstoreError } from '../../src/kernel/error.ts';
import { importAdminPair } from '../../src/provider/import-pair.ts';
import { openProvider } from '../../src/provider/open.ts';
import type { Provider } from '../../src/provider/PROVIDER.ts';
import type { ImportReport } from '../../src/provider/reports.ts';
import type { Secrets } from '../../src/secrets/SECRETS.ts';
import type { StrictApi, TokenOptions } from './cloudflare-r2/strict-api.ts';
import { openPrivateFolder, type PrivateFolder } from './private-file.ts';
import { withoutPatience } from './without-patience.ts';

/** What an import is given; everything is right but for what is said here. */
export interface ImportCase {
  readonly a?: TokenOptions;
  readonly b?: TokenOptions;
  readonly values?: readonly [string, string];
  readonly dryRun?: boolean;
  readonly secrets?: Secrets;
  readonly account?: string;
  readonly bucket?: string;
  readonly wrap?: (provider: Provider) => Provider;
}

export interface Imported {
  readonly report?: ImportReport;
  /** Of the documents that the store has then. */
  readonly names?: readonly string[];
  readonly values?: readonly [string, string];
  readonly error?: ArtifactstoreError;
  readonly said?: string;
}

/** What came of it: a report, or an error that has no value of a token, with nothing half persisted. */
export async function importFiles(api: StrictApi, folder: PrivateFolder, each: ImportCase = {}): Promise<Imported> {
  const { a = {}, b = {}, dryRun = false, account = api.account, bucket = 'artifacts' } = each;
  const values = each.values ?? [api.addToken(a).value, api.addToken(b).value];
  const tokenFiles = [folder.write('a', values[0]), folder.write('b', values[1])] as const;
  using own = openPrivateFolder();
  const secrets = each.secrets ?? own.secrets;
  const patience = withoutPatience();
  const provider = openProvider('cloudflare-r2', {
    account,
    providerUrl: api.url,
    endpointUrl: undefined,
    region: undefined,
    patience,
    limitMilliseconds: 3000,
    wait: async () => undefined,
  });
  try {
    const report = await importAdminPair({
      provider: each.wrap?.(provider) ?? provider,
      account,
      providerUrl: api.url,
      tokenFiles,
      bucket,
      secrets,
      patience: each.wrap === undefined ? patience : withoutPatience(1000),
      dryRun,
    });
    return { report, names: await secrets.list(), values };
  } catch (error) {
    assert.ok(isArtifactstoreError(error), String(error));
    const said = JSON.stringify({ message: error.message, info: error.info, field: error.field });
    for (const value of values) assert.equal(said.includes(value), false);
    if (each.secrets === undefined) assert.deepEqual(await secrets.list(), [], 'nothing is half persisted');
    return { error, said };
  } finally {
    await provider.close();
  }
}
