import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { answering, type Daemon, startDaemon } from './daemon.ts';
import { freePorts } from './free-ports.ts';
import { whyMissing } from './store.ts';

/** A real OpenBao with its data on disk, unsealed, with the key-value engine of version 2 at `secret/`. */
export interface OpenBao extends AsyncDisposable {
  readonly url: string;
  /** Of root. */
  readonly token: string;
  /** One request to its API as root; answers the `data` or `auth` of it. */
  call(method: string, path: string, body?: object): Promise<Record<string, unknown>>;
  /** What `sys/seal` and its key do; also needed after a crash. */
  seal(): Promise<void>;
  unseal(): Promise<void>;
  crash(): Promise<void>;
  restart(): Promise<void>;
}

interface Answer {
  readonly data?: Record<string, unknown>;
  readonly auth?: Record<string, unknown>;
  readonly keys_base64?: readonly string[];
  readonly root_token?: string;
}

/** Server, command line and agent are one. */
export const openBaoProgram: string = fileURLToPath(new URL('../../node_modules/.cache/stores/openbao/bao', import.meta.url));

export function whyNoOpenBao(): string | undefined {
  return whyMissing('openbao', [openBaoProgram], 'tools/stores/install-openbao.sh');
}

export async function startOpenBao(): Promise<OpenBao> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'artifactstore-openbao-'));
  starting.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  const port = await freePorts(2);
  const url = `http://127.0.0.1:${port}`;
  const [configuration, logFile] = [join(directory, 'server.hcl'), join(directory, 'log')];
  await writeFile(
    configuration,
    `storage "raft" {
  path = "${directory}"
  node_id = "one"
}
cluster_addr = "http://127.0.0.1:${port + 1}"
api_addr = "${url}"
listener "tcp" {
  address = "127.0.0.1:${port}"
  tls_disable = true
}
`,
  );
  let daemon: Daemon | undefined;
  /** It is ready when it says so of itself: 501 before it is initialized, and 503 while it is sealed. */
  const start = async (health: 501 | 503): Promise<void> => {
    daemon = await startDaemon(openBaoProgram, ['server', `-config=${configuration}`], { directory, logFile });
    await answering(`${url}/v1/sys/health`, daemon, logFile, { isReady: (status) => status === health });
  };
  await start(501);
  starting.defer(() => daemon?.stop());

  let token: string | undefined;
  async function ask(method: string, path: string, body?: object): Promise<Answer> {
    const answer = await fetch(`${url}/v1/${path}`, {
      method,
      headers: token === undefined ? {} : { 'x-vault-token': token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`OpenBao answered ${answer.status} to ${method} ${path}: ${text}`);
    return text === '' ? {} : (JSON.parse(text) as Answer);
  }
  const call: OpenBao['call'] = async (method, path, body) => {
    const { data, auth } = await ask(method, path, body);
    return data ?? auth ?? {};
  };
  const unseal = async (): Promise<void> => {
    await ask('PUT', 'sys/unseal', { key });
    await until(async () => (await fetch(`${url}/v1/sys/health`)).status === 200);
  };

  const { keys_base64: [key] = [], root_token } = await ask('PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 });
  await unseal();
  token = root_token;
  await call('POST', 'sys/mounts/secret', { type: 'kv', options: { version: '2' } });
  // The engine prepares itself for a moment, and refuses meanwhile.
  await until(() => call('GET', 'secret/config').then(Boolean, () => false));
  const parts = starting.move();
  return {
    url,
    token: token ?? '',
    call,
    seal: async () => void (await ask('PUT', 'sys/seal')),
    unseal,
    crash: async () => await daemon?.kill(),
    restart: () => start(503),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const ends = Date.now() + 120_000; !(await isSo()); await sleep(50))
    if (Date.now() > ends) throw new Error('OpenBao does not become ready');
}
