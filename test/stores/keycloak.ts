import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answering, startDaemon } from './daemon.ts';
import { freePorts } from './free-ports.ts';
import { whyMissing } from './store.ts';

/** A real provider of OpenID Connect with a realm of its own, in a process of its own. */
export interface Keycloak extends AsyncDisposable {
  /** Of the realm. */
  readonly issuer: string;
  /**
   * What tokens of the client `ci` have in `aud`. Those of `plain` have what Keycloak puts there by itself, and those
   * of `both` have both. Those of `policy` have a claim of that name, too: `policyClaim`.
   */
  readonly audience: string;
  /** What the token endpoint gives a client of this realm for its secret. */
  token(client: KeycloakClient): Promise<string>;
  /** Makes a new key that signs from now on, and answers what withdraws it. */
  addKey(): Promise<() => Promise<void>>;
  /** Where the key that encrypts stands in the key set: keys of a higher priority come first, new ones have 100. */
  setEncryptionPriority(priority: number): Promise<void>;
  /** SHA-1 of the certificate of the first key in the set that signs. */
  thumbprint(): Promise<string>;
  stop(): Promise<void>;
}

export type KeycloakClient = 'ci' | 'plain' | 'both' | 'policy';
export const policyClaim = 'of-the-claim';

const program = fileURLToPath(new URL('../../node_modules/.cache/stores/keycloak/bin/kc.sh', import.meta.url));
const audience = 'urn:artifactstore:registry';

export function whyNoKeycloak(): string | undefined {
  return whyMissing('keycloak', [program], 'tools/stores/install-keycloak.sh');
}

/** Its first start builds it, which takes a minute; all that it keeps is in memory. */
export async function startKeycloak(): Promise<Keycloak> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'artifactstore-keycloak-'));
  starting.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  const [port, password, secret] = [await freePorts(1), randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
  const logFile = join(directory, 'log');
  const options = ['--db=dev-mem', '--cache=local', '--http-host=127.0.0.1', `--http-port=${port}`];
  const daemon = await startDaemon(program, ['start-dev', ...options], {
    directory,
    logFile,
    environment: {
      ...(process.env.JAVA_HOME === undefined ? {} : { JAVA_HOME: process.env.JAVA_HOME }),
      KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
      KC_BOOTSTRAP_ADMIN_PASSWORD: password,
      JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx512m',
    },
  });
  starting.defer(() => daemon.stop());
  const url = `http://127.0.0.1:${port}`;
  // 404 as long as it has not made its first realm.
  await answering(`${url}/realms/master`, daemon, logFile, { seconds: 600, isReady: (status) => status === 200 });

  async function administer(method: string, path: string, body?: object): Promise<Response> {
    const form = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password };
    const authorization = `Bearer ${await tokenFrom(`${url}/realms/master`, form)}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/admin/realms${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`Keycloak answered ${answer.status} to ${method} ${path}: ${await answer.text()}`);
    return answer;
  }

  const client = { secret, publicClient: false, serviceAccountsEnabled: true, standardFlowEnabled: false };
  const mapper = {
    name: 'audience',
    protocol: 'openid-connect',
    protocolMapper: 'oidc-audience-mapper',
    config: { 'included.custom.audience': audience, 'access.token.claim': 'true', 'id.token.claim': 'false' },
  };
  const claim = {
    name: 'policy',
    protocol: 'openid-connect',
    protocolMapper: 'oidc-hardcoded-claim-mapper',
    config: { 'claim.name': 'policy', 'claim.value': policyClaim, 'jsonType.label': 'String', 'access.token.claim': 'true' },
  };
  await administer('POST', '', {
    realm: 'lab',
    enabled: true,
    accessTokenLifespan: 3600,
    clients: [
      { clientId: 'ci', ...client, fullScopeAllowed: false, protocolMappers: [mapper] },
      { clientId: 'both', ...client, protocolMappers: [mapper] },
      { clientId: 'plain', ...client },
      { clientId: 'policy', ...client, protocolMappers: [claim] },
    ],
  });
  const realm = (await (await administer('GET', '/lab')).json()) as { readonly id: string };
  const issuer = `${url}/realms/lab`;
  // Its first answers take long: nobody with a limit of time asks for them.
  for (const path of ['.well-known/openid-configuration', 'protocol/openid-connect/certs']) await (await fetch(`${issuer}/${path}`)).text();
  const keyProvider = 'org.keycloak.keys.KeyProvider';
  let priority = 1000;
  const running = starting.move();
  return {
    issuer,
    audience,
    token: (id) => tokenFrom(issuer, { grant_type: 'client_credentials', client_id: id, client_secret: secret }),
    async addKey() {
      priority += 1;
      const config = { priority: [`${priority}`], enabled: ['true'], active: ['true'], algorithm: ['RS256'] };
      const named = { name: `key ${priority}`, providerId: 'rsa-generated', providerType: keyProvider };
      const provider = { ...named, parentId: realm.id, config };
      const made = (await administer('POST', '/lab/components', provider)).headers.get('location');
      return async () => void (await administer('DELETE', `/lab/components/${made?.split('/').at(-1)}`));
    },
    async setEncryptionPriority(encrypts) {
      const answer = await administer('GET', `/lab/components?type=${keyProvider}`);
      const components = (await answer.json()) as readonly { id: string; providerId: string; config: object }[];
      const component = components.find(({ providerId }) => providerId === 'rsa-enc-generated');
      if (component === undefined) throw new Error('Keycloak has made no key that encrypts');
      const config = { ...component.config, priority: [`${encrypts}`] };
      await administer('PUT', `/lab/components/${component.id}`, { ...component, config });
    },
    async thumbprint() {
      const answer = await fetch(`${issuer}/protocol/openid-connect/certs`);
      const { keys } = (await answer.json()) as { readonly keys: readonly { use: string; x5c: readonly string[] }[] };
      const [certificate] = keys.find(({ use }) => use === 'sig')?.x5c ?? [];
      if (certificate === undefined) throw new Error(`${issuer} publishes no certificate of a key that signs`);
      return new X509Certificate(Buffer.from(certificate, 'base64')).fingerprint.replaceAll(':', '');
    },
    stop: () => daemon.stop(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function tokenFrom(realm: string, form: Readonly<Record<string, string>>): Promise<string> {
  const answer = await fetch(`${realm}/protocol/openid-connect/token`, { method: 'POST', body: new URLSearchParams(form) });
  const { access_token } = (await answer.json()) as { readonly access_token?: string };
  if (access_token === undefined) throw new Error(`${realm} answered ${answer.status}`);
  return access_token;
}
