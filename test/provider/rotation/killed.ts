import type { Issuer, Provider } from '../../../src/provider/PROVIDER.ts';
import type { Secrets } from '../../../src/secrets/SECRETS.ts';

/** Ends the work behind the n-th thing that was done elsewhere: written to the store, made or ended at the provider. */
export interface Killer {
  readonly done: number;
  provider(provider: Provider): Provider;
  secrets(secrets: Secrets): Secrets;
}

/** `kill` does not come back. */
export function killerAfter(count: number, kill: () => Promise<never>): Killer {
  let done = 0;
  const counted = async <T>(work: Promise<T>): Promise<T> => {
    const value = await work;
    done += 1;
    return done === count ? await kill() : value;
  };
  const issuerOf = (issuer: Issuer): Issuer => ({
    ...issuer,
    mint: (authority, request) => counted(issuer.mint(authority, request)),
    revoke: (authority, id) => counted(issuer.revoke(authority, id)),
  });
  return {
    get done() {
      return done;
    },
    provider: (provider) => ({ ...provider, ...(provider.issuer === undefined ? {} : { issuer: issuerOf(provider.issuer) }) }),
    secrets: (secrets) => ({
      ...secrets,
      ...(secrets.writer === undefined
        ? {}
        : { writer: { ...secrets.writer, put: (name, value, expected) => counted(secrets.writer!.put(name, value, expected)) } }),
    }),
  };
}
