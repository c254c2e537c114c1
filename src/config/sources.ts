import { type DotEnv, readDotEnv } from './dot-env.ts';
import { dotEnvName, environmentName, type SettingSource } from './settings.ts';

export interface Sources {
  /** The first one first. */
  readonly all: readonly SettingSource[];
  /** Undefined where it is not looked at. */
  readonly dotEnv: DotEnv | undefined;
}

/** Where settings come from. Throws `invalid_configuration` where `.env` can't be read. */
export function settingSources(environment: Readonly<Record<string, string | undefined>>, directory: string, withDotEnv: boolean): Sources {
  const own = { origin: environmentName, values: environment };
  const dotEnv = withDotEnv ? readDotEnv(directory) : undefined;
  return { all: dotEnv === undefined ? [own] : [own, { origin: dotEnvName, values: dotEnv.values }], dotEnv };
}
