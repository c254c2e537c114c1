import type { Credentials, CredentialsConfig } from './CREDENTIALS.ts';
import { staticCredentials } from './static.ts';
import { webIdentityCredentials } from './web-identity.ts';

export interface OpenCredentials {
  readonly region: string;
  /** What the names of its settings begin with, for messages. */
  readonly variables: string;
  /** Where `env:` references are looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The credentials that a configuration describes. Nothing is asked for before keys are. */
export function openCredentials(config: CredentialsConfig, { region, variables, environment }: OpenCredentials): Credentials {
  if (config.kind === 'web-identity') return webIdentityCredentials({ ...config, region, variables });
  const { accessKeyRef, secretKeyRef, sessionTokenRef } = config;
  return staticCredentials({ accessKeyRef, secretKeyRef, sessionTokenRef, variables }, { environment });
}
