import { type Command, InvalidArgumentError, Option } from 'commander';
import { ArtifactstoreError } from '../kernel/error.ts';
import type { ProviderPlace } from '../provider/reports.ts';
import type { VaultAuth } from '../secrets/SECRETS.ts';
import type { Context } from './context.ts';

/** The options that every command of the provider has. */
export interface PlaceOptions {
  readonly store: string;
  readonly storeTokenRef?: string;
  readonly providerUrl?: string;
  readonly endpoint?: string;
  readonly region?: string;
  readonly propagationSeconds?: number;
}

/** Where authority and keys are kept. */
export function addStoreOptions(command: Command): void {
  command
    .requiredOption('--store <place>', 'file:/directory or vault:https://host:8200/MOUNT/PATH')
    .option('--store-token-ref <ref>', 'of a Vault or OpenBao: env:NAME or file:/path; the ARTIFACTSTORE_VAULT_ settings where absent');
}

/** Where the provider and its objects are. */
export function addProviderOptions(command: Command): void {
  command
    .option('--provider-url <url>', "the provider's API; where absent that of the import, or else its public one")
    .option('--endpoint <url>', 'where the objects are; as the provider has it where absent')
    .option('--region <name>', 'of the objects')
    .addOption(
      new Option('--propagation-seconds <n>', 'how long new tokens and keys may take to be known')
        .default(45)
        .argParser(secondsFrom(0, 600)),
    );
}

export function secondsFrom(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number of seconds from ${least} to ${most}.`);
  };
}

export function placeOf({ config, environment, output }: Context, options: PlaceOptions, signal: AbortSignal): ProviderPlace {
  // It may be the token itself by mistake, which a message must not repeat.
  if (options.storeTokenRef !== undefined && !/^(env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+)$/.test(options.storeTokenRef))
    throw new ArtifactstoreError(
      'invalid_configuration',
      '--store-token-ref must be env:NAME or file:/absolute/path; never the token itself.',
      {
        field: '--store-token-ref',
      },
    );
  return {
    store: options.store,
    auth: authOf(config.secrets.auth, options),
    namespace: config.secrets.namespace ?? environment.VAULT_NAMESPACE,
    providerUrl: options.providerUrl,
    endpoint: options.endpoint,
    region: options.region,
    propagationSeconds: options.propagationSeconds ?? 0,
    environment: { ...config.referenced, ...environment },
    signal,
    onStep: (text) => output.note(text),
    onWarning: (text) => output.warn(`warning: ${text}`),
  };
}

/** What the option says, or the settings, or else the token that Vault's own client takes. */
function authOf(settings: VaultAuth, { storeTokenRef }: PlaceOptions): VaultAuth {
  if (storeTokenRef !== undefined) return { method: 'token', tokenRef: storeTokenRef };
  return settings.method === 'token' && settings.tokenRef === '' ? { method: 'token', tokenRef: 'env:VAULT_TOKEN' } : settings;
}
