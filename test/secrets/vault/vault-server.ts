import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A stand-in for Vault's HTTP API, as its public description has it: KV version 2 at `kv/`, version 1 at `old/`, logins
 * by AppRole, JWT and Kubernetes, tokens that end, policies by path, sealing. It refuses what it does not know.
 * test/stores/openbao.stores.ts asks the same of a real OpenBao.
 */
export interface VaultServer extends AsyncDisposable {
  readonly url: string;
  readonly documents: Map<string, Document>;
  /** `token` to what it may: capabilities by the beginning of a path, `''` for all. */
  readonly tokens: Map<string, Readonly<Record<string, readonly string[]>>>;
  /** Body of a login that is taken, as JSON, to the token that it is answered with. */
  readonly logins: Map<string, { readonly path: string; readonly token: string; readonly seconds: number }>;
  /** What answers instead of the API, once for each entry. */
  readonly next: ((
    request: IncomingMessage,
  ) => { readonly status: number; readonly text: string; readonly location?: string } | undefined)[];
  readonly asked: string[];
  sealed: boolean;
  /** While it is there, nothing is answered. */
  silence: Promise<void> | undefined;
}

interface Document {
  version: number;
  /** Null where the version was deleted. */
  data: Record<string, unknown> | null;
}

interface Reply {
  readonly status: number;
  readonly body?: unknown;
}

const denied: Reply = { status: 403, body: { errors: ['1 error occurred:\n\t* permission denied\n\n'] } };

export async function startVault(): Promise<VaultServer> {
  const documents = new Map<string, Document>();
  const tokens: VaultServer['tokens'] = new Map();
  const logins: VaultServer['logins'] = new Map();
  const next: VaultServer['next'] = [];
  const asked: string[] = [];

  function reply(request: IncomingMessage, body: string): Reply {
    if (vault.sealed) return { status: 503, body: { errors: ['Vault is sealed'] } };
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://vault');
    const path = pathname.replace(/^\/v1\//, '');
    if (request.headers['x-vault-request'] !== 'true') return { status: 400, body: { errors: ["missing 'X-Vault-Request' header"] } };
    if (request.method === 'POST' && path.startsWith('auth/')) return logIn(path, body);
    const policy = tokens.get(String(request.headers['x-vault-token']));
    const allows = (capability: string): boolean =>
      policy !== undefined && Object.entries(policy).some(([prefix, given]) => path.startsWith(prefix) && given.includes(capability));
    if (policy === undefined) return denied;
    if (path.startsWith('sys/internal/ui/mounts/')) return mountOf(path.split('/').at(-1) ?? '');
    if (path.startsWith('kv/data/')) return ofData(path.slice('kv/data/'.length), request.method ?? '', body, allows);
    if (path.startsWith('kv/metadata/') && searchParams.get('list') === 'true')
      return allows('list') ? list(path.slice('kv/metadata/'.length)) : denied;
    if (path.startsWith('old/')) return allows('read') ? { status: 404, body: { errors: [] } } : denied;
    return { status: 404, body: { errors: [`no handler for route "${path}". route entry not found.`] } };
  }

  function logIn(path: string, body: string): Reply {
    const login = logins.get(body);
    if (login === undefined || login.path !== path) return { status: 400, body: { errors: ['invalid role or secret ID'] } };
    tokens.set(login.token, { '': ['read', 'list', 'create', 'update'] });
    return { status: 200, body: { auth: { client_token: login.token, lease_duration: login.seconds, renewable: true } } };
  }

  function ofData(name: string, method: string, body: string, allows: (capability: string) => boolean): Reply {
    const found = documents.get(name);
    if (method === 'GET') {
      if (!allows('read')) return denied;
      if (found === undefined) return { status: 404, body: { errors: [] } };
      const metadata = { version: found.version, destroyed: false, deletion_time: found.data === null ? '2026-01-01T00:00:00Z' : '' };
      return { status: found.data === null ? 404 : 200, body: { data: { data: found.data, metadata } } };
    }
    if (!allows(found === undefined ? 'create' : 'update')) return denied;
    const { options, data } = JSON.parse(body) as { options: { cas: number }; data: Record<string, unknown> };
    if (options.cas !== (found?.version ?? 0))
      return { status: 400, body: { errors: ['check-and-set parameter did not match the current version'] } };
    documents.set(name, { version: options.cas + 1, data });
    return { status: 200, body: { data: { version: options.cas + 1, destroyed: false } } };
  }

  function list(prefix: string): Reply {
    const inside = [...documents.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
    const keys = [...new Set(inside.map((name) => name.replace(/\/.*$/, '/')))];
    return keys.length === 0 ? { status: 404, body: { errors: [] } } : { status: 200, body: { data: { keys } } };
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      asked.push(`${request.method} ${request.url}`);
      await vault.silence;
      const instead = next.shift()?.(request);
      if (instead !== undefined) {
        response.writeHead(instead.status, instead.location === undefined ? {} : { location: instead.location });
        return response.end(instead.text);
      }
      const { status, body } = reply(request, Buffer.concat(chunks).toString());
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body === undefined ? '' : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const vault: VaultServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    documents,
    tokens,
    logins,
    next,
    asked,
    sealed: false,
    silence: undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return vault;
}

function mountOf(mount: string): Reply {
  if (mount !== 'kv' && mount !== 'old') return denied;
  return { status: 200, body: { data: { type: 'kv', options: { version: mount === 'kv' ? '2' : '1' } } } };
}
