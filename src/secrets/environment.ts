import { unusable } from './failure.ts';
import type { Secrets } from './SECRETS.ts';
import { secretOf } from './secret.ts';
import { parseSecretName } from './secret-name.ts';

/** The variables of an environment, each a secret by its own name. Nobody can write there. */
export function environmentSecrets(environment: Readonly<Record<string, string | undefined>>): Secrets {
  const place = 'the environment';
  return {
    place,
    async get(name) {
      parseSecretName(name);
      const text = isVariable(name) && Object.hasOwn(environment, name) ? environment[name] : undefined;
      if (text === undefined) return undefined;
      if (text.trim() === '') throw unusable(place, name, 'empty', 'is empty');
      return { value: secretOf(text), version: '0' };
    },
    async list() {
      return Object.keys(environment)
        .filter((name) => isVariable(name) && environment[name] !== undefined)
        .sort();
    },
    async close() {},
  };
}

function isVariable(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}
