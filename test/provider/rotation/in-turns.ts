import type { Issuer, Provider } from '../../../src/provider/PROVIDER.ts';
import type { Secrets } from '../../../src/secrets/SECRETS.ts';

/** Several runs at the same place, of which one moves at a time, from one act elsewhere to its next. */
export interface Turns {
  /** A run that waits for its turn before whatever it reads or writes in the store or asks of the provider. */
  start(name: string, work: (seen: Seen) => Promise<unknown>): void;
  /** Lets one of those that wait make its next act, until none is left. Answers what came of each. */
  run(pick: (waiting: readonly string[]) => string, afterEach: () => Promise<void>): Promise<ReadonlyMap<string, Outcome>>;
}

/** The place as a run sees it. */
export interface Seen {
  provider(provider: Provider): Provider;
  secrets(secrets: Secrets): Secrets;
}

export type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** With `changes` what is only read or tried needs no turn, and goes with the act before it. */
export function inTurns(acts: 'changes' | 'all'): Turns {
  const waiting = new Map<string, () => void>();
  const outcomes = new Map<string, Outcome>();
  const names = new Set<string>();
  let moved = (): void => undefined;

  async function inTurn<T>(name: string, act: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => {
      waiting.set(name, resolve);
      moved();
    });
    return await act();
  }

  function seenBy(name: string): Seen {
    const turn = <T>(act: () => Promise<T>): Promise<T> => inTurn(name, act);
    const look = acts === 'all' ? turn : async <T>(act: () => Promise<T>): Promise<T> => await act();
    const issuerOf = (issuer: Issuer): Issuer => ({
      ...issuer,
      mint: (...asked) => turn(() => issuer.mint(...asked)),
      find: (...asked) => look(() => issuer.find(...asked)),
      revoke: (...asked) => turn(() => issuer.revoke(...asked)),
    });
    return {
      provider: (provider) => ({
        ...provider,
        prove: (...asked) => look(() => provider.prove(...asked)),
        ...(provider.issuer === undefined ? {} : { issuer: issuerOf(provider.issuer) }),
      }),
      secrets: (secrets) => ({
        ...secrets,
        get: (name) => look(() => secrets.get(name)),
        writer: { ...secrets.writer!, put: (...asked) => turn(() => secrets.writer!.put(...asked)) },
      }),
    };
  }

  return {
    start(name, work) {
      names.add(name);
      inTurn(name, () => work(seenBy(name)))
        .then(
          (value) => outcomes.set(name, { value }),
          (error: unknown) => outcomes.set(name, { error }),
        )
        .finally(() => moved());
    },
    async run(pick, afterEach) {
      for (;;) {
        while (waiting.size + outcomes.size < names.size)
          await new Promise<void>((resolve) => {
            moved = resolve;
          });
        await afterEach();
        if (waiting.size === 0) return outcomes;
        const name = pick([...waiting.keys()].sort());
        const release = waiting.get(name)!;
        waiting.delete(name);
        release();
      }
    },
  };
}
