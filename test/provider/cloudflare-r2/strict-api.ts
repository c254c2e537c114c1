import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { StrictStore } from '../../s3-stand-in/strict-store.ts';

/**
 * Written from the public description of the API, since no account can be reached from tests: the paths of account API
 * tokens and of R2, the envelope of every answer, error codes, permissions by call, a rate limit with Retry-After. What
 * is made becomes known to the object store only after a while, as it does there.
 */
export interface StrictApi extends AsyncDisposable {
  readonly url: string;
  readonly account: string;
  /** Method and path of every call, in order; the account and values of tokens left out. */
  readonly calls: readonly string[];
  /** Makes a token as the dashboard does, and gives its value. */
  addToken(options?: TokenOptions): { readonly id: string; readonly value: string };
  token(id: string): Token | undefined;
  /** Ids of all tokens that were made by a call. */
  minted(): readonly string[];
  /** What the next calls get instead of an answer, where they match `METHOD path`. */
  strike(pattern: RegExp, strike: Strike, times?: number): void;
  endStrikes(): void;
}

export interface TokenOptions {
  readonly permissions?: readonly string[];
  readonly status?: 'active' | 'disabled' | 'expired';
  readonly expiresOn?: string;
  readonly notBefore?: string;
  readonly allowedAddresses?: readonly string[];
}

export type Strike =
  | { readonly answer: { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> } }
  | { readonly hang: true }
  /** Done, and the answer lost. */
  | { readonly lose: true };

export interface Token {
  readonly id: string;
  readonly name: string;
  value: string;
  status: 'active' | 'disabled' | 'expired';
  readonly permissions: readonly string[];
  readonly buckets: readonly string[];
  readonly expiresOn: string | undefined;
  readonly notBefore: string | undefined;
  readonly allowedAddresses: readonly string[] | undefined;
  readonly byCall: boolean;
}

export const everyPermission: readonly string[] = [
  'Account API Tokens Read',
  'Account API Tokens Write',
  'Workers R2 Storage Read',
  'Workers R2 Storage Write',
];

const groups = [...everyPermission, 'Workers R2 Storage Bucket Item Read', 'Workers R2 Storage Bucket Item Write'].map((name) => ({
  id: createHash('md5').update(name).digest('hex'),
  name,
  scopes: [name.includes('Item') ? 'com.cloudflare.edge.r2.bucket' : 'com.cloudflare.api.account'],
}));

export interface StrictApiOptions {
  /** Where minted keys become good. */
  readonly store?: StrictStore;
  readonly buckets?: readonly string[];
  readonly account?: string;
  /** Until what is made is known to the object store. */
  readonly propagationMilliseconds?: number;
}

export async function openStrictApi(options: StrictApiOptions = {}): Promise<StrictApi> {
  const { store, buckets = ['artifacts'], account = randomBytes(16).toString('hex'), propagationMilliseconds = 0 } = options;
  const tokens = new Map<string, Token>();
  const calls: string[] = [];
  const strikes: { pattern: RegExp; strike: Strike; times: number }[] = [];

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://x');
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const [, version, named, ...rest] = url.pathname.replace(/^\/client/, '').split('/');
    const path = `/${rest.slice(1).join('/')}`;
    const called = `${request.method} ${path}`;
    calls.push(called);
    const struck = strikes.find(({ pattern, times }) => times > 0 && pattern.test(called));
    if (struck !== undefined) {
      struck.times -= 1;
      if ('hang' in struck.strike) return;
      if ('answer' in struck.strike) {
        const { status, body, headers = {} } = struck.strike.answer;
        response.writeHead(status, { 'content-type': 'text/html', ...headers }).end(body);
        return;
      }
    }
    let answer: Reply;
    try {
      if (version !== 'v4' || named !== 'accounts' || rest[0] !== account) throw new Refusal(404, 7003, 'Could not route to the path');
      const body = Buffer.concat(chunks).toString();
      answer = await act(`${request.method}`, path, url.searchParams, body, callerOf(request));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answer = { status: error.status, result: null, errors: [{ code: error.code, message: error.message }] };
    }
    if (struck !== undefined && 'lose' in struck.strike) return void request.socket.resetAndDestroy();
    const { status, result, errors = [], info } = answer;
    const envelope = { success: errors.length === 0, errors, messages: [], result, ...(info === undefined ? {} : { result_info: info }) };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(envelope));
  }

  function callerOf(request: IncomingMessage): Token {
    const header = request.headers.authorization ?? '';
    if (!/^Bearer [A-Za-z0-9_-]{20,}$/.test(header)) throw new Refusal(400, 6003, 'Invalid request headers');
    const found = [...tokens.values()].find(({ value }) => value === header.slice(7));
    if (found === undefined || found.status === 'disabled') throw new Refusal(401, 1000, 'Invalid API Token');
    if (found.allowedAddresses?.includes('127.0.0.1') === false)
      throw new Refusal(403, 9109, 'Cannot use the access token from location: 127.0.0.1');
    return found;
  }

  function require(caller: Token, permission: string): void {
    if (!caller.permissions.includes(permission)) throw new Refusal(403, 10000, 'Authentication error');
  }

  async function act(method: string, path: string, query: URLSearchParams, body: string, caller: Token): Promise<Reply> {
    const [, first, second, third] = path.split('/');
    if (method === 'GET' && path === '/tokens/verify') {
      const { id, status, expiresOn, notBefore } = caller;
      return {
        status: 200,
        result: { id, status, ...(expiresOn && { expires_on: expiresOn }), ...(notBefore && { not_before: notBefore }) },
      };
    }
    if (first === 'r2' && second === 'buckets' && third !== undefined && method === 'GET') {
      require(caller, 'Workers R2 Storage Read');
      if (!buckets.includes(third)) throw new Refusal(404, 10006, 'The specified bucket does not exist.');
      return { status: 200, result: { name: third } };
    }
    if (path === '/r2/temp-access-credentials' && method === 'POST') {
      require(caller, 'Workers R2 Storage Write');
      const asked = JSON.parse(body);
      if (tokens.get(asked.parentAccessKeyId) === undefined) throw new Refusal(404, 10007, 'No such parent');
      if (!(asked.ttlSeconds >= 60 && asked.ttlSeconds <= 604_800)) throw new Refusal(400, 10008, 'ttlSeconds is out of range');
      const keys = {
        accessKeyId: randomBytes(16).toString('hex'),
        secretAccessKey: randomBytes(32).toString('hex'),
        sessionToken: randomBytes(40).toString('base64url'),
      };
      store?.admit({ ...keys, buckets: [asked.bucket], keyPrefix: asked.prefixes?.[0] ?? '' });
      return { status: 200, result: keys };
    }
    if (first !== 'tokens') throw new Refusal(404, 7003, 'Could not route to the path');
    require(caller, method === 'GET' ? 'Account API Tokens Read' : 'Account API Tokens Write');
    if (method === 'GET' && second === 'permission_groups') {
      const name = query.get('name');
      return { status: 200, result: groups.filter((group) => name === null || group.name === name) };
    }
    if (method === 'GET' && second === undefined) {
      const all = [...tokens.values()];
      const perPage = Number(query.get('per_page') ?? 20);
      const page = Number(query.get('page') ?? 1);
      const rows = all.slice((page - 1) * perPage, page * perPage).map(shown);
      return { status: 200, result: rows, info: { page, per_page: perPage, count: rows.length, total_count: all.length } };
    }
    if (method === 'POST' && second === undefined) return { status: 200, result: create(JSON.parse(body)) };
    const token = tokens.get(second ?? '');
    if (token === undefined) throw new Refusal(404, 1001, 'Token not found');
    if (method === 'GET' && third === undefined) return { status: 200, result: shown(token) };
    if (method === 'PUT' && third === 'value') {
      token.value = randomBytes(30).toString('base64url');
      store?.revoke(token.id);
      spread(token);
      return { status: 200, result: token.value };
    }
    if (method === 'DELETE' && third === undefined) {
      tokens.delete(token.id);
      store?.revoke(token.id);
      return { status: 200, result: { id: token.id } };
    }
    throw new Refusal(405, 7001, 'Method not allowed');
  }

  function create(asked: { name: string; expires_on?: string; policies: readonly Policy[] }): unknown {
    const resources = asked.policies.flatMap(({ resources }) => Object.keys(resources));
    const named = resources.map((each) => /^com\.cloudflare\.edge\.r2\.bucket\.([0-9a-f]{32})_default_(.+)$/.exec(each));
    if (named.some((each) => each === null || each[1] !== account)) throw new Refusal(400, 1001, 'Invalid resource');
    const ids = asked.policies.flatMap(({ permission_groups: all }) => all.map(({ id }) => id));
    if (ids.some((id) => !groups.some((group) => group.id === id))) throw new Refusal(400, 1002, 'Invalid permission group');
    if (asked.expires_on !== undefined && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(asked.expires_on))
      throw new Refusal(400, 1004, 'Invalid date');
    const token: Token = {
      id: randomBytes(16).toString('hex'),
      name: asked.name,
      value: randomBytes(30).toString('base64url'),
      status: 'active',
      permissions: groups.filter(({ id }) => ids.includes(id)).map(({ name }) => name),
      buckets: named.map((each) => each?.[2] ?? ''),
      expiresOn: asked.expires_on,
      notBefore: undefined,
      allowedAddresses: undefined,
      byCall: true,
    };
    tokens.set(token.id, token);
    spread(token);
    return { ...shown(token), value: token.value };
  }

  /** The object store learns of it later. */
  function spread({ id, value, buckets: own }: Token): void {
    const secretAccessKey = createHash('sha256').update(value).digest('hex');
    const admit = (): void => {
      if (tokens.get(id)?.value === value) store?.admit({ accessKeyId: id, secretAccessKey, buckets: own });
    };
    if (propagationMilliseconds === 0) admit();
    else setTimeout(admit, propagationMilliseconds).unref();
  }

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/client/v4`,
    account,
    calls,
    addToken(made = {}) {
      const { permissions = everyPermission, status = 'active', expiresOn, notBefore, allowedAddresses } = made;
      const id = randomBytes(16).toString('hex');
      const value = randomBytes(30).toString('base64url');
      tokens.set(id, {
        id,
        name: 'by hand',
        value,
        status,
        permissions,
        buckets: [],
        expiresOn,
        notBefore,
        allowedAddresses,
        byCall: false,
      });
      return { id, value };
    },
    token: (id) => tokens.get(id),
    minted: () => [...tokens.values()].filter(({ byCall }) => byCall).map(({ id }) => id),
    strike: (pattern, strike, times = 1) => void strikes.push({ pattern, strike, times }),
    endStrikes: () => void strikes.splice(0),
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Policy {
  readonly resources: Readonly<Record<string, string>>;
  readonly permission_groups: readonly { readonly id: string }[];
}

interface Reply {
  readonly status: number;
  readonly result: unknown;
  readonly errors?: readonly { readonly code: number; readonly message: string }[];
  readonly info?: Readonly<Record<string, unknown>>;
}

class Refusal extends Error {
  readonly status: number;
  readonly code: number;
  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

function shown({ id, name, status, permissions, expiresOn, allowedAddresses }: Token): object {
  return {
    id,
    name,
    status,
    ...(expiresOn === undefined ? {} : { expires_on: expiresOn }),
    ...(allowedAddresses === undefined ? {} : { condition: { request_ip: { in: allowedAddresses } } }),
    policies: [{ effect: 'allow', permission_groups: groups.filter((group) => permissions.includes(group.name)), resources: {} }],
  };
}
