import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CookieKind, cookieName } from '../../../src/doors/console/cookies.ts';
import type { Identity } from '../../../src/identity/IDENTITY.ts';
import { openIdentity } from '../../../src/identity/open.ts';
import { clientId, type PeopleIssuer, type PeopleOptions, startPeopleIssuer } from '../../identity/sign-in/people-issuer.ts';
import { freePorts } from '../../stores/free-ports.ts';

/** Whom a server knows by whose console people of an issuer sign in. */
export interface SigningIn extends AsyncDisposable {
  readonly identity: Identity;
  readonly issuer: PeopleIssuer;
  /** Where the server has to listen. */
  readonly port: number;
  readonly accessFile: string;
}

export interface SigningInOptions extends Pick<PeopleOptions, 'secret'> {
  /** Of the address at which browsers find the server: `/artifacts`. */
  readonly below?: string;
}

/** Alice and Dora may write for `ci`; others of the issuer have no grant. */
export async function openSigningIn({ secret, below = '' }: SigningInOptions = {}): Promise<SigningIn> {
  const port = await freePorts(1);
  const url = `http://127.0.0.1:${port}${below}/`;
  const issuer = await startPeopleIssuer({
    redirectUris: [`${url}console/sign-in/callback`],
    ...(secret === undefined ? {} : { secret }),
  });
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-signing-in-'));
  const path = join(folder, 'access.toml');
  writeFileSync(path, accessFile(issuer.url, url, secret !== undefined));
  const identity = await openIdentity({
    tokens: [{ token: 'a-token-for-tests-0123456789', actor: 'tester' }],
    accessFile: { path, pollMilliseconds: 20 },
    readReference: async (reference) =>
      reference === 'env:CLIENT_SECRET' && secret !== undefined ? { value: secret } : { problem: 'there is none' },
  });
  return {
    identity,
    issuer,
    port,
    accessFile: path,
    async [Symbol.asyncDispose]() {
      await identity[Symbol.asyncDispose]();
      await issuer[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

function accessFile(issuer: string, url: string, hasSecret: boolean): string {
  return `[issuers.people]
issuer = "${issuer}"
audience = "${clientId}"
[issuers.people.console]
client_id = "${clientId}"
url = "${url}"
label = "Example people"
${hasSecret ? 'client_secret = "env:CLIENT_SECRET"' : ''}
[[grants]]
issuer = "people"
claims = { sub = "alice" }
actor = "person:{sub}"
role = "writer"
producers = ["ci"]
[[grants]]
issuer = "people"
claims = { sub = "dora" }
actor = "person:{sub}"
role = "writer"
producers = ["ci"]
`;
}

/** What a browser does without a page: it follows redirects with its cookies. */
export interface Walker {
  readonly cookies: Map<string, string>;
  /** Puts a cookie there that the server did not set. */
  put(pages: string, kind: CookieKind, value: string): void;
  /** Takes the cookies of an answer, as a browser does when it arrives. */
  receive(url: string, response: Response): void;
  /** One request, no redirect followed. */
  ask(url: string, init?: RequestInit): Promise<Response>;
  /** Signs in as this person, from `start` on, up to what the callback answers. */
  signIn(start: string, person: string): Promise<Response>;
  /** Up to the address of the callback, which is not asked for. */
  toCallback(start: string, person: string): Promise<string>;
}

export function walker(): Walker {
  const cookies = new Map<string, string>();
  async function ask(url: string, init: RequestInit = {}): Promise<Response> {
    const { host } = new URL(url);
    const own = [...cookies].flatMap(([key, value]) => (key.startsWith(`${host} `) ? [`${key.slice(host.length + 1)}=${value}`] : []));
    const headers = { ...(own.length === 0 ? {} : { cookie: own.join('; ') }), ...(init.headers as Record<string, string> | undefined) };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    receive(url, response);
    return response;
  }
  function receive(url: string, response: Response): void {
    const { host } = new URL(url);
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '' || /Max-Age=0\b/i.test(line)) cookies.delete(`${host} ${name}`);
      else cookies.set(`${host} ${name}`, value);
    }
  }
  async function toCallback(start: string, person: string): Promise<string> {
    let response = await ask(start);
    for (let at = start, steps = 0; steps < 20; steps++) {
      const location = response.headers.get('location');
      if (location !== null) {
        at = new URL(location, at).href;
        if (/\/console\/sign-in\/(?:callback|failed)/.test(at)) return at;
        response = await ask(at);
        continue;
      }
      const page = await response.text();
      const action = /<form[^>]*action="([^"]+)"/.exec(page)?.[1];
      const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1];
      if (action === undefined || prompt === undefined) throw new Error(`no form at ${at}: ${response.status} ${page.slice(0, 300)}`);
      at = new URL(action, at).href;
      response = await ask(at, { method: 'POST', body: new URLSearchParams({ prompt, login: person, password: 'any' }) });
    }
    throw new Error('it leads in circles');
  }
  return {
    cookies,
    put(pages, kind, value) {
      const name = cookieName(pages.replace(/console\/$/, ''), kind, value);
      cookies.set(`${new URL(pages).host} ${name}`, value);
    },
    receive,
    ask,
    toCallback,
    signIn: async (start, person) => await ask(await toCallback(start, person)),
  };
}
