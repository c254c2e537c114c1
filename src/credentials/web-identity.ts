import { hostname } from 'node:os';
import { ArtifactstoreError } from '../kernel/error.ts';
import { readSecretFile } from '../runtime/secret-file.ts';
import { type AssumeRoleOptions, assumeRoleWithWebIdentity } from './assume-role.ts';
import { type Credentials, s3Variables } from './CREDENTIALS.ts';
import { type RenewalOptions, renewedCredentials } from './renewed.ts';

export interface WebIdentitySettings {
  /** Without a trailing slash; undefined means AWS itself, in `region`. */
  readonly stsEndpointUrl: string | undefined;
  readonly region: string;
  /** Undefined where the store reads from the token what it allows. */
  readonly roleArn: string | undefined;
  /** An absolute path; whoever issues tokens replaces the file. */
  readonly webIdentityTokenFile: string;
  readonly sessionDurationSeconds: number;
  /** What the names of these settings begin with, for messages; `s3Variables` where absent. */
  readonly variables?: string;
  /** By what the store's own log knows this process; `artifactstore-` and the host's name by default. */
  readonly sessionName?: string;
}

export interface WebIdentityOptions extends AssumeRoleOptions, RenewalOptions {}

/**
 * Short-lived keys, of a role or of what the token itself says, in exchange for the token in a file
 * (AssumeRoleWithWebIdentity). The file is read again for every exchange. Nothing is asked for before keys are.
 */
export function webIdentityCredentials(settings: WebIdentitySettings, options: WebIdentityOptions = {}): Credentials {
  const { stsEndpointUrl, region, roleArn, webIdentityTokenFile, sessionDurationSeconds, variables = s3Variables } = settings;
  const sessionName = legalSessionName(settings.sessionName ?? `artifactstore-${hostname()}`);
  return renewedCredentials(async () => {
    const webIdentityToken = await readToken(webIdentityTokenFile, variables);
    return assumeRoleWithWebIdentity(
      { stsEndpointUrl, region, roleArn, sessionName, sessionDurationSeconds, webIdentityToken, variables },
      options,
    );
  }, options);
}

async function readToken(path: string, variables: string): Promise<string> {
  const read = await readSecretFile(path);
  if ('problem' in read) throw tokenFileError(variables, `The token file ${path} ${read.problem}`, read.cause);
  const token = read.text.trim();
  if (token === '') throw tokenFileError(variables, `The token file ${path} is empty`);
  return token;
}

function tokenFileError(variables: string, text: string, cause?: unknown): ArtifactstoreError {
  const name = `${variables}WEB_IDENTITY_TOKEN_FILE`;
  return new ArtifactstoreError('storage_unavailable', `${text}. See ${name}`, { field: name, info: { names: [name] }, cause });
}

/** 2 to 64 of the characters that services take. */
function legalSessionName(name: string): string {
  const legal = name.replace(/[^A-Za-z0-9_=,.@-]/g, '-').slice(0, 64);
  return legal.length >= 2 ? legal : `artifactstore-${legal}`;
}
