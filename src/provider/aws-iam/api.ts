import { encode, sha256, signInHeader } from '../../protocol/aws-signature.ts';
import { throwIfStopped } from '../../runtime/stop.ts';
import type { Secret } from '../../secrets/secret.ts';
import { type Asker, notWhatItWasTakenFor } from '../ask.ts';
import { parseKeyPair } from '../key-pair.ts';
import { missingPermission, unavailableProvider, unusableAuthority } from '../refusal.ts';
import { type ApiAnswer, answerOf, type Element } from './answer.ts';

export interface ApiCall {
  readonly action: string;
  readonly parameters?: Readonly<Record<string, string>>;
  /** The beginning of a sentence: `The user a cannot be made`. */
  readonly failed: string;
}

/** What is said by a refusal that is an answer to what was asked. */
export type Said = 'done' | 'NoSuchEntity' | 'EntityAlreadyExists' | 'LimitExceeded' | 'DeleteConflict';

export interface Called {
  readonly said: Said;
  readonly result: Element;
}

/** Actions of IAM's Query API (2010-05-08), as AWS has it and Ceph gateways since 19. */
export interface Api {
  /** Errors: those of the door; a refusal of `Said` is an answer. */
  call(authority: Secret, call: ApiCall): Promise<Called>;
}

export interface ApiOptions {
  readonly asker: Asker;
  readonly place: string;
  readonly address: string;
  readonly region: string;
  /** How long the provider may ask to wait altogether, for each call. */
  readonly limitMilliseconds: number;
  readonly wait: (milliseconds: number) => Promise<unknown>;
  readonly signal: AbortSignal | undefined;
}

export function createApi({ asker, place, address, region, limitMilliseconds, wait, signal }: ApiOptions): Api {
  const { host, pathname } = new URL(address);

  async function once(authority: Secret, { action, parameters = {} }: ApiCall): Promise<ApiAnswer & { readonly status: number }> {
    const keys = parseKeyPair(authority);
    const pairs = Object.entries({ Action: action, Version: '2010-05-08', ...parameters });
    const body = pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
    const { status, text } = await asker.ask(() => {
      const signed = signInHeader({
        method: 'POST',
        path: `${pathname.replace(/\/$/, '')}/`,
        query: {},
        headers: { host, 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        payload: sha256(body),
        date: new Date(),
        region,
        service: 'iam',
        keys,
      });
      return { method: 'POST', path: '/', headers: signed.headers, body };
    });
    const answer = answerOf(text, action);
    if (answer === undefined || (answer.code === undefined && status >= 300 && status !== 401 && status !== 403))
      throw notWhatItWasTakenFor(place, `answers ${status} with something that is not IAM's XML`);
    return { ...answer, status };
  }

  return {
    async call(authority, call) {
      let waited = 0;
      for (let attempt = 0; ; attempt += 1) {
        throwIfStopped(signal);
        const { status, code, message, result } = await once(authority, call);
        if (status < 300 && code === undefined) return { said: 'done', result };
        if (isAnswer(code)) return { said: code, result: '' };
        const told = code === undefined ? String(status) : `${status} ${code}`;
        if (code === undefined || !passing.has(code)) throw refusalOf(call, place, { status, code, message, told });
        const time = 500 * 2 ** attempt;
        if (waited + time > limitMilliseconds)
          throw unavailableProvider(place, `is busy (${told})`, 'try again in a minute; nothing was changed by this call');
        waited += time;
        await wait(time);
      }
    },
  };
}

interface Refused {
  readonly status: number;
  readonly code: string | undefined;
  readonly message: string;
  readonly told: string;
}

function refusalOf({ action, parameters = {}, failed }: ApiCall, place: string, { status, code, message, told }: Refused): Error {
  if (code === 'RequestExpired' || code === 'RequestTimeTooSkewed' || /signature (expired|not yet current)/i.test(message))
    return unavailableProvider(
      place,
      `finds that this machine's time is wrong (${told})`,
      'set the clock of this machine, then run this again',
    );
  if (code !== undefined && unknownCodes.has(code))
    return unusableAuthority(
      code === 'UserSuspended' ? 'disabled' : 'unknown',
      `${failed} (${told}): the provider does not take these keys`,
      'look at the keys, at their user, and at whether they were made inactive or a moment ago',
    );
  if (status === 405)
    return unusableAuthority(
      'other_account',
      `${failed} (${told}): the user of these keys belongs to no account, or the gateway is older than Ceph 19`,
      'make an account and a user of it: `radosgw-admin account create`, `radosgw-admin user create --account-id ID --account-root`',
    );
  if (status === 401 || status === 403) {
    const permission = `iam:${action} on ${parameters.UserName === undefined ? 'the users of the account' : `user/${parameters.UserName}`}`;
    return missingPermission(
      `${failed} (${told})`,
      permission,
      `allow the user whose keys these are "iam:${action}" on user/artifactstore-*: docs/providers.md has the whole policy`,
    );
  }
  return notWhatItWasTakenFor(place, `refuses ${action}: ${told}`);
}

function isAnswer(code: string | undefined): code is Exclude<Said, 'done'> {
  return code === 'NoSuchEntity' || code === 'EntityAlreadyExists' || code === 'LimitExceeded' || code === 'DeleteConflict';
}

/** Nothing was done, and it will pass. AWS says so with a 400 or a 409. */
const passing: ReadonlySet<string> = new Set([
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'ConcurrentModification',
  'EntityTemporarilyUnmodifiable',
]);

const unknownCodes: ReadonlySet<string> = new Set([
  'InvalidClientTokenId',
  'InvalidAccessKeyId',
  'UnrecognizedClientException',
  'SignatureDoesNotMatch',
  'IncompleteSignature',
  'MissingAuthenticationToken',
  'ExpiredToken',
  'UserSuspended',
]);
