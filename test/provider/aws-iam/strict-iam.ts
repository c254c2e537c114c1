import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { targetOf } from '../../s3-stand-in/exchange.ts';
import { Refusal as S3Refusal } from '../../s3-stand-in/refusal.ts';
import { sha256, verifySignature } from '../../s3-stand-in/signature.ts';
import type { StrictStore } from '../../s3-stand-in/strict-store.ts';
import { document, type Element } from '../../s3-stand-in/xml.ts';
import type { Strike } from '../cloudflare-r2/strict-api.ts';
import { reachOf } from './strict-policy.ts';

/**
 * Written from AWS's public description of the API, since no account can be reached from tests: the actions on users,
 * access keys and inline policies, their parameters and limits, the codes and statuses of errors, signatures for the
 * service `iam`. Who may not is told so before anything is looked at, as there. New keys are known to the objects
 * later.
 */
export interface StrictIam extends AsyncDisposable {
  readonly url: string;
  readonly account: string;
  /** Every action that was asked for, with its user. */
  readonly calls: readonly string[];
  /** Makes a user as an administrator does, and gives `ACCESS_KEY_ID:SECRET_ACCESS_KEY`. */
  addUser(options?: UserOptions): string;
  user(name: string): User | undefined;
  /** Names of all users that were made by a call. */
  minted(): readonly string[];
  /** What the next calls get instead of an answer, where they match `Action user`. */
  strike(pattern: RegExp, strike: Strike, times?: number): void;
  endStrikes(): void;
}

export interface UserOptions {
  readonly name?: string;
  /** Actions of IAM; all that a rotation needs by default. */
  readonly allow?: readonly string[];
  readonly seesBuckets?: boolean;
  /** The account's own keys, which are of no user. */
  readonly root?: boolean;
}

export interface User {
  readonly name: string;
  readonly id: string;
  readonly keys: { readonly id: string; readonly secret: string }[];
  readonly policies: Map<string, string>;
  readonly groups: readonly string[];
  readonly allow: readonly string[];
  readonly byCall: boolean;
  readonly root: boolean;
}

export const everyRight: readonly string[] = [
  ...['GetUser', 'ListUsers', 'CreateUser', 'DeleteUser', 'CreateAccessKey', 'ListAccessKeys', 'DeleteAccessKey'],
  ...['PutUserPolicy', 'DeleteUserPolicy'],
];

export interface StrictIamOptions {
  readonly store?: StrictStore;
  readonly account?: string;
  readonly propagationMilliseconds?: number;
  readonly mostUsers?: number;
}

export async function openStrictIam(options: StrictIamOptions = {}): Promise<StrictIam> {
  const { store, account = '123456789012', propagationMilliseconds = 0, mostUsers = 5000 } = options;
  const users = new Map<string, User>();
  const calls: string[] = [];
  const strikes: { pattern: RegExp; strike: Strike; times: number }[] = [];

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const body = Buffer.concat(chunks).toString('latin1');
    const asked = new URLSearchParams(body);
    const called = `${asked.get('Action')} ${asked.get('UserName') ?? ''}`.trim();
    calls.push(called);
    const struck = strikes.find(({ pattern, times }) => times > 0 && pattern.test(called));
    if (struck !== undefined) {
      struck.times -= 1;
      if ('hang' in struck.strike) return;
      if ('answer' in struck.strike) {
        const { status, body: said, headers = {} } = struck.strike.answer;
        response.writeHead(status, { 'content-type': 'text/xml', ...headers }).end(said);
        return;
      }
    }
    const answer = answerTo(request, body, asked);
    if (struck !== undefined && 'lose' in struck.strike) return void request.socket.resetAndDestroy();
    response.writeHead(answer.status, { 'content-type': 'text/xml' }).end(answer.text);
  }

  function answerTo(request: IncomingMessage, body: string, asked: URLSearchParams): { readonly status: number; readonly text: string } {
    const RequestId = randomBytes(16).toString('hex');
    try {
      const action = asked.get('Action') ?? '';
      const result = act(action, asked, callerOf(request, body));
      const children = { ...(result === undefined ? {} : { [`${action}Result`]: result }), ResponseMetadata: { RequestId } };
      return { status: 200, text: document(`${action}Response`, children, namespace) };
    } catch (error) {
      const { status, code, message } = refusalOf(error);
      const Type = status < 500 ? 'Sender' : 'Receiver';
      return { status, text: document('ErrorResponse', { Error: { Type, Code: code, Message: message }, RequestId }, namespace) };
    }
  }

  function callerOf(request: IncomingMessage, body: string): User {
    if (request.method !== 'POST' || request.url !== '/') refuse(404, 'MalformedQueryString', 'The query string contains a syntax error.');
    if (!/^application\/x-www-form-urlencoded/.test(request.headers['content-type'] ?? '')) refuse(404, 'MalformedQueryString', 'No form.');
    const grants = [...users.values()].flatMap(({ keys }) => keys.map(({ id, secret }) => ({ accessKeyId: id, secretAccessKey: secret })));
    const verifier = { region: 'us-east-1', service: 'iam', clock: Date.now, lies: {}, grants };
    const { grant, payload } = verifySignature(request, targetOf(request), verifier);
    if (payload !== sha256(body)) refuse(403, 'SignatureDoesNotMatch', 'The body is not the one that was signed.');
    return [...users.values()].find(({ keys }) => keys.some(({ id }) => id === grant.accessKeyId))!;
  }

  function act(action: string, asked: URLSearchParams, caller: User): Element {
    if (asked.get('Version') !== '2010-05-08' || !everyRight.includes(action))
      refuse(400, 'InvalidAction', `Could not find operation ${action} for version ${asked.get('Version')}`);
    const name = asked.get('UserName') ?? caller.name;
    if (!/^[\w+=,.@-]{1,64}$/.test(name)) refuse(400, 'ValidationError', 'The specified value for userName is invalid.');
    const isCovered = caller.root || (caller.allow.includes(action) && (action === 'ListUsers' || name.startsWith('artifactstore-')));
    if (!isCovered) {
      const resource = `arn:aws:iam::${account}:user/${name}`;
      refuse(403, 'AccessDenied', `User: ${caller.name} is not authorized to perform: iam:${action} on resource: ${resource}`);
    }
    if (action === 'ListUsers') return listUsers(asked);
    if (action === 'CreateUser') return { User: shown(createUser(name)) };
    const user =
      action === 'GetUser' && asked.get('UserName') === null ? caller : (users.get(name) ?? noSuch(`The user with name ${name}`));
    const key = asked.get('AccessKeyId') ?? '';
    const policy = asked.get('PolicyName') ?? '';
    switch (action) {
      case 'GetUser':
        return { User: shown(user) };
      case 'CreateAccessKey': {
        if (user.keys.length >= 2) refuse(409, 'LimitExceeded', 'Cannot exceed quota for AccessKeysPerUser: 2');
        const made = { id: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`, secret: `a+/${randomBytes(27).toString('base64')}` };
        user.keys.push(made);
        spread(user);
        return { AccessKey: { UserName: name, AccessKeyId: made.id, Status: 'Active', SecretAccessKey: made.secret } };
      }
      case 'ListAccessKeys':
        return {
          AccessKeyMetadata: { member: user.keys.map(({ id }) => ({ UserName: name, AccessKeyId: id, Status: 'Active' })) },
          IsTruncated: false,
        };
      case 'DeleteAccessKey': {
        if (!/^\w{16,128}$/.test(key)) refuse(400, 'ValidationError', 'The specified value for accessKeyId is invalid.');
        const at = user.keys.findIndex(({ id }) => id === key);
        if (at === -1) noSuch(`The Access Key with id ${key}`);
        user.keys.splice(at, 1);
        store?.revoke(key);
        return undefined;
      }
      case 'PutUserPolicy': {
        if (!/^[\w+=,.@-]{1,128}$/.test(policy)) refuse(400, 'ValidationError', 'The specified value for policyName is invalid.');
        const text = asked.get('PolicyDocument') ?? '';
        if (reachOf(text) === undefined) refuse(400, 'MalformedPolicyDocument', 'Syntax errors in policy.');
        if (text.replace(/\s/g, '').length > 2048) refuse(409, 'LimitExceeded', 'Maximum policy size of 2048 bytes exceeded');
        user.policies.set(policy, text);
        spread(user);
        return undefined;
      }
      case 'DeleteUserPolicy':
        if (!user.policies.delete(policy)) noSuch(`The user policy with name ${policy}`);
        return undefined;
      default:
        if (user.keys.length > 0) refuse(409, 'DeleteConflict', 'Cannot delete entity, must delete access keys first.');
        if (user.policies.size > 0) refuse(409, 'DeleteConflict', 'Cannot delete entity, must delete policies first.');
        if (user.groups.length > 0) refuse(409, 'DeleteConflict', 'Cannot delete entity, must remove users from group first.');
        users.delete(name);
        return undefined;
    }
  }

  function listUsers(asked: URLSearchParams): Element {
    const most = Number(asked.get('MaxItems') ?? 100);
    if (!(most >= 1 && most <= 1000)) refuse(400, 'ValidationError', 'The specified value for maxItems is invalid.');
    const names = [...users.keys()].sort().filter((name) => name > (asked.get('Marker') ?? '') && !users.get(name)!.root);
    const page = names.slice(0, Math.min(most, 3));
    const isTruncated = names.length > page.length;
    return {
      Users: { member: page.map((name) => shown(users.get(name)!)) },
      IsTruncated: isTruncated,
      Marker: isTruncated ? page.at(-1) : undefined,
    };
  }

  function createUser(name: string): User {
    if (users.has(name)) refuse(409, 'EntityAlreadyExists', `User with name ${name} already exists.`);
    if (users.size >= mostUsers) refuse(409, 'LimitExceeded', `Cannot exceed quota for UsersPerAccount: ${mostUsers}`);
    return newUser(name, { allow: [], byCall: true, root: false });
  }

  function newUser(name: string, more: Pick<User, 'allow' | 'byCall' | 'root'>): User {
    const id = more.root ? account : `AIDA${randomBytes(8).toString('hex').toUpperCase()}`;
    const user: User = { name, id, keys: [], policies: new Map(), groups: [], ...more };
    users.set(name, user);
    return user;
  }

  function shown({ name, id, root }: User): Element {
    if (root) return { UserId: id, Arn: `arn:aws:iam::${account}:root` };
    return { Path: '/', UserName: name, UserId: id, Arn: `arn:aws:iam::${account}:user/${name}` };
  }

  /** The objects learn of it later. */
  function spread(user: User): void {
    const admit = (): void => {
      const reach = [...user.policies.values()].map(reachOf).at(-1);
      for (const { id, secret } of user.keys) {
        store?.revoke(id);
        if (reach !== undefined) store?.admit({ accessKeyId: id, secretAccessKey: secret, ...reach });
      }
    };
    if (propagationMilliseconds === 0) admit();
    else setTimeout(admit, propagationMilliseconds).unref();
  }

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    account,
    calls,
    addUser({ name, allow = everyRight, seesBuckets = true, root = false } = {}) {
      const known = name ?? `artifactstore-authority-${randomBytes(4).toString('hex')}`;
      const user = newUser(known, { allow, byCall: false, root });
      const made = { id: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`, secret: randomBytes(30).toString('base64') };
      user.keys.push(made);
      if (seesBuckets) store?.admit({ accessKeyId: made.id, secretAccessKey: made.secret });
      return `${made.id}:${made.secret}`;
    },
    user: (name) => users.get(name),
    minted: () => [...users.values()].filter(({ byCall }) => byCall).map(({ name }) => name),
    strike: (pattern, strike, times = 1) => void strikes.push({ pattern, strike, times }),
    endStrikes: () => void strikes.splice(0),
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

const namespace = ' xmlns="https://iam.amazonaws.com/doc/2010-05-08/"';

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

function refuse(status: number, code: string, message: string): never {
  throw new Refusal(status, code, message);
}

function noSuch(what: string): never {
  refuse(404, 'NoSuchEntity', `${what} cannot be found.`);
}

/** What is wrong with a signature has other names there than with objects. */
function refusalOf(error: unknown): { readonly status: number; readonly code: string; readonly message: string } {
  if (error instanceof Refusal) return error;
  if (!(error instanceof S3Refusal)) return { status: 500, code: 'ServiceFailure', message: String(error) };
  if (error.code === 'InvalidAccessKeyId')
    return { status: 403, code: 'InvalidClientTokenId', message: 'The security token included in the request is invalid.' };
  if (error.code === 'RequestTimeTooSkewed') return { status: 403, code: 'SignatureDoesNotMatch', message: 'Signature expired: too old' };
  return { status: 403, code: error.code === 'AccessDenied' ? 'MissingAuthenticationToken' : error.code, message: error.message };
}
