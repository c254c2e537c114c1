import { resolve } from 'node:path';
import { dotEnvName, environmentName, type Settings } from './settings.ts';
import { parseToken } from './tokens.ts';

/** Where the commands that speak HTTP have their token from: at most one of the three is set. */
export interface ClientToken {
  readonly apiToken: string | undefined;
  /** An absolute path. */
  readonly apiTokenFile: string | undefined;
  readonly apiIdentity: PlatformIdentity | undefined;
  /** Whether `.env` names that one, as the choice of whoever wrote the working directory. */
  readonly isFromDotEnv: boolean;
}

/** A job that a platform gives a token of its own; it is known only to the environment, never to `.env`. */
export type PlatformIdentity =
  | {
      readonly platform: 'github-actions';
      readonly audience: string | undefined;
      readonly requestUrl: string | undefined;
      readonly requestToken: string | undefined;
    }
  | {
      readonly platform: 'gitlab-ci';
      readonly audience: string | undefined;
      /** The variable that holds the token, and what it holds. */
      readonly variable: string;
      readonly token: string | undefined;
    };

/** Where `import` has the token of the registry that it reads from: at most one of the two is set. */
export interface SourceToken {
  readonly sourceToken: string | undefined;
  /** An absolute path. */
  readonly sourceTokenFile: string | undefined;
}

/** As for the other token: the environment overrides `.env`, and two in one place are refused. */
export function readSourceToken(settings: Settings, directory: string): SourceToken {
  const sourceToken = settings.secret('SOURCE_TOKEN', parseToken);
  const file = settings.text('SOURCE_TOKEN_FILE', '');
  const [origin, fileOrigin] = [settings.originOf('SOURCE_TOKEN'), settings.originOf('SOURCE_TOKEN_FILE')];
  if (origin !== undefined && origin === fileOrigin)
    settings.refuse('SOURCE_TOKEN_FILE', 'and ARTIFACTSTORE_SOURCE_TOKEN both say where the token comes from: set one of them');
  const isFile = fileOrigin !== undefined && origin !== environmentName;
  return {
    sourceToken: isFile ? undefined : sourceToken,
    sourceTokenFile: isFile ? resolve(directory, file) : undefined,
  };
}

const names = ['API_TOKEN', 'API_TOKEN_FILE', 'IDENTITY'] as const;

/** What the environment says wins over what `.env` says, of whatever kind it is; two in one place are refused. */
export function readClientToken(settings: Settings, directory: string): ClientToken {
  const apiToken = settings.secret('API_TOKEN', parseToken);
  const file = settings.text('API_TOKEN_FILE', '');
  const apiIdentity = readIdentity(settings);
  const isFromDotEnv = names.every((name) => settings.originOf(name) === undefined || settings.originOf(name) === dotEnvName);
  const origin = isFromDotEnv ? dotEnvName : environmentName;
  const [chosen, second] = names.filter((name) => settings.originOf(name) === origin);
  if (chosen !== undefined && second !== undefined)
    settings.refuse(second, `and ARTIFACTSTORE_${chosen} both say where the token comes from: set one of them`);
  return {
    apiToken: chosen === 'API_TOKEN' ? apiToken : undefined,
    apiTokenFile: chosen === 'API_TOKEN_FILE' ? resolve(directory, file) : undefined,
    apiIdentity: chosen === 'IDENTITY' ? apiIdentity : undefined,
    isFromDotEnv: chosen !== undefined && isFromDotEnv,
  };
}

function readIdentity(settings: Settings): PlatformIdentity | undefined {
  const platform = settings.parsed('IDENTITY', '', (text) => {
    const name = text.trim().toLowerCase();
    if (name === '' || name === 'github-actions' || name === 'gitlab-ci') return name;
    throw new Error(`"${text}" is not one of github-actions, gitlab-ci`);
  });
  const audience = settings.text('IDENTITY_AUDIENCE', '') || undefined;
  const variable = settings.parsed('IDENTITY_TOKEN_VARIABLE', 'ARTIFACTSTORE_ID_TOKEN', (text) => {
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(text)) return text;
    throw new Error('must be the name of a variable, and never the token itself');
  });
  // Known by this name whether it is used or not: a job has it in its environment for every command.
  settings.secret('ID_TOKEN', (text) => text);
  if (platform === 'github-actions') {
    const requestUrl = settings.ofEnvironment('ACTIONS_ID_TOKEN_REQUEST_URL');
    const requestToken = settings.ofEnvironment('ACTIONS_ID_TOKEN_REQUEST_TOKEN');
    return { platform, audience, requestUrl, requestToken };
  }
  return platform === 'gitlab-ci' ? { platform, audience, variable, token: settings.ofEnvironment(variable) } : undefined;
}
