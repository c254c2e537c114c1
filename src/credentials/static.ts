import { setTimeout as sleep } from 'node:timers/promises';
import { ArtifactstoreError } from '../kernel/error.ts';
import type { Secrets } from '../secrets/SECRETS.ts';
import type { Credentials, Keys } from './CREDENTIALS.ts';
import { type KeyReading, type KeyReferences, type KeyValues, type ReferenceProblem, readKeys } from './key-references.ts';
import { type OnUnread, watchReading } from './unread.ts';

export interface StaticCredentialsOptions {
  /** Where `env:` references are looked up; the process's own environment by default. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Where `secret:` references are looked up. */
  readonly secrets?: Secrets | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
  /** Told of references that lead nowhere for a while, although there are keys. */
  readonly onUnread?: OnUnread | undefined;
}

/**
 * Keys that somebody else looks after, by reference. Variables are read once. Where there is a file, everything is read
 * again together, at most once a second, and where there is a secret of a store, every ten seconds: so keys can be
 * replaced under a running server. The same object is given while nothing has changed. A file that is gone or empty for
 * a moment changes nothing, nor does a store that does not answer, which nobody waits for who has keys. Until keys were
 * had for the first time a reference that leads nowhere is `invalid_configuration`, afterwards `storage_unavailable`,
 * and only when the keys that were had are refused.
 *
 * Files are replaced one after the other, and a new access key with an old secret is worse than old keys. New keys are
 * taken when every file has changed and a second reading agrees; a change of some of them is taken when it stands for
 * five seconds, or when the store refuses the keys that are in use.
 */
export function staticCredentials(references: KeyReferences, options: StaticCredentialsOptions = {}): Credentials {
  const { environment = process.env, secrets, now = Date.now, wait = sleep } = options;
  const { accessKeyRef, secretKeyRef, sessionTokenRef } = references;
  const all = [accessKeyRef, secretKeyRef, sessionTokenRef];
  const watched = all.some(canChange);
  const isFar = all.some((reference) => reference?.startsWith('secret:'));
  const patience = isFar ? storeCheckMilliseconds : checkMilliseconds;
  const read = (): Promise<KeyReading> => readKeys(references, environment, secrets);

  let current: { readonly values: KeyValues; readonly keys: Keys; readonly takenAt: number } | undefined;
  let refused = false;
  const watch = watchReading(now, options.onUnread);
  /** What was seen since when, and is not trusted yet. */
  let pending: { readonly values: KeyValues; readonly since: number } | undefined;
  let lookedAt = 0;
  let looking: Promise<void> | undefined;

  function due(): boolean {
    if (current === undefined || refused) return true;
    const interval = pending === undefined ? patience : agreeMilliseconds;
    return watched && Math.abs(now() - lookedAt) >= interval;
  }

  async function look(): Promise<void> {
    const before = current;
    if (before === undefined || refused) await lookUntilSettled(before);
    else compare(before.values, await read());
    lookedAt = now();
  }

  function compare(before: KeyValues, reading: KeyReading): void {
    if ('problems' in reading) watch.failed(textOf(reading.problems));
    else watch.succeeded();
    if ('problems' in reading || same(reading.values, before)) {
      pending = undefined;
      return;
    }
    const { values } = reading;
    if (pending === undefined || !same(values, pending.values)) pending = { values, since: now() };
    const age = now() - pending.since;
    if (age >= (allChanged(before, values) ? agreeMilliseconds : settleMilliseconds)) take(values);
  }

  /**
   * The keys in use, if any, are of no use: waits, but not for long, until what is there looks whole. Keys that were
   * taken a moment ago may be torn.
   */
  async function lookUntilSettled(before: typeof current): Promise<void> {
    const hopeless = (reading: KeyReading): boolean =>
      before !== undefined && now() - before.takenAt >= settleMilliseconds && 'values' in reading && same(reading.values, before.values);
    let last = await read();
    for (let round = 0; watched && round < settleRounds && !hopeless(last); round += 1) {
      await wait(agreeMilliseconds);
      const next = await read();
      const agree = 'values' in last && 'values' in next && same(last.values, next.values);
      const whole = 'values' in next && (before === undefined || allChanged(before.values, next.values));
      last = next;
      if (agree && whole) break;
    }
    if ('problems' in last) throw unreadable(last, before === undefined);
    watch.succeeded();
    if (before === undefined || !same(last.values, before.values)) take(last.values);
    refused = false;
  }

  function take(values: KeyValues): void {
    const { accessKeyId, secretAccessKey, sessionToken } = values;
    const keys = Object.freeze({ accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) });
    current = { values, keys, takenAt: now() };
    pending = undefined;
  }

  function allChanged(before: KeyValues, after: KeyValues): boolean {
    return keyParts.every((part) => !canChange(references[partReferences[part]]) || before[part] !== after[part]);
  }

  return {
    async keys() {
      while (looking !== undefined || due()) {
        looking ??= look().finally(() => {
          looking = undefined;
        });
        // Who has keys does not wait for a store that may not answer.
        if (isFar && current !== undefined && !refused) {
          looking.catch(() => undefined);
          break;
        }
        await looking;
      }
      return current!.keys;
    },
    refused(keys) {
      if (watched && keys === current?.keys) refused = true;
    },
    unread: () => watch.unread(),
  };
}

const checkMilliseconds = 1000;
/** A store of secrets is another machine's, and asked by every server. */
const storeCheckMilliseconds = 10_000;
const agreeMilliseconds = 50;
const settleMilliseconds = 5000;
const settleRounds = 10;

function canChange(reference: string | undefined): boolean {
  return reference !== undefined && !reference.startsWith('env:');
}

const partReferences = {
  accessKeyId: 'accessKeyRef',
  secretAccessKey: 'secretKeyRef',
  sessionToken: 'sessionTokenRef',
} as const satisfies Record<keyof KeyValues, keyof KeyReferences>;
const keyParts = Object.keys(partReferences) as readonly (keyof KeyValues)[];

function same(left: KeyValues, right: KeyValues): boolean {
  return keyParts.every((part) => left[part] === right[part]);
}

function unreadable(reading: Extract<KeyReading, { problems: unknown }>, first: boolean): ArtifactstoreError {
  const { problems } = reading;
  const names = problems.map(({ name }) => name);
  const text = textOf(problems);
  const lead = first ? 'The keys of the store cannot be read' : 'The store refuses the keys, and there are no others';
  return new ArtifactstoreError(first ? 'invalid_configuration' : 'storage_unavailable', `${lead}. ${text}`, {
    ...(names[0] === undefined ? {} : { field: names[0] }),
    info: { names },
  });
}

function textOf(problems: readonly ReferenceProblem[]): string {
  return problems.map(({ name, text }) => `${name}: ${text}`).join('; ');
}
