import { spawn } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { type Daemon, freePort, peakResidentBytes, startDaemon } from './daemon.ts';

/**
 * The server under test: the real `serve`, in a process of its own, with its defaults, on a database and a root in
 * `directory`.
 */
export interface Artifactstore extends Daemon {
  readonly authorization: string;
  /** POSTs JSON and answers with the JSON that comes back. */
  post(path: string, body: unknown): Promise<Record<string, unknown>>;
  /** Runs a command against this server; rejects unless it ends with 0. Resolves to its output. */
  command(...parameters: readonly string[]): Promise<string>;
  /** The most memory that the last command had resident, as it was seen every 20 ms. */
  commandPeakBytes(): number;
}

/** `settings` are of the environment, over those that every question has. */
export async function startArtifactstore(directory: string, settings: Readonly<Record<string, string>> = {}): Promise<Artifactstore> {
  const port = await freePort();
  const environment = {
    ...storageEnvironment(directory),
    ARTIFACTSTORE_PORT: String(port),
    ARTIFACTSTORE_AUTH_TOKENS: `bench=${token}`,
    ...settings,
  };
  const daemon = await startDaemon(process.execPath, [bin, 'serve'], {
    port,
    readyPath: '/health',
    environment,
    directory,
    logPath: join(directory, 'server.log'),
  });
  const authorization = `Bearer ${token}`;
  let peak = 0;
  return {
    ...daemon,
    authorization,
    async post(path, body) {
      const response = await fetch(`${daemon.url}${path}`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const answer = (await response.json()) as Record<string, unknown>;
      if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${JSON.stringify(answer)}`);
      return answer;
    },
    async command(...parameters) {
      peak = 0;
      const environment = { ARTIFACTSTORE_API_URL: daemon.url, ARTIFACTSTORE_API_TOKEN: token };
      return await runArtifactstore(directory, parameters, environment, (bytes) => {
        peak = Math.max(peak, bytes);
      });
    },
    commandPeakBytes: () => peak,
  };
}

/**
 * Runs a command on the database and the storage in `directory`; rejects unless it ends with 0. Resolves to its output.
 * `onPeak` is told of the most memory that it has had by then.
 */
export async function runArtifactstore(
  directory: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  onPeak?: (bytes: number) => void,
): Promise<string> {
  const child = spawn(process.execPath, [bin, ...parameters], {
    cwd: directory,
    env: { PATH: process.env.PATH, HOME: process.env.HOME ?? directory, ...storageEnvironment(directory), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const watching = onPeak === undefined ? undefined : setInterval(() => onPeak(peakResidentBytes(child.pid!)), 20);
  let output = '';
  let complaints = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-2000);
  });
  const code = await new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject));
  clearInterval(watching);
  process.removeListener('exit', kill);
  if (code !== 0) throw new Error(`artifactstore ${parameters.join(' ')} ended with ${code}: ${complaints}`);
  return output;
}

/** A package to put files into; its id. */
export async function createPackage(server: Artifactstore, name: string): Promise<string> {
  const { id } = await server.post('/packages', { name, producer: 'bench', subject: name, retention_class: 'transient' });
  return String(id);
}

export function databasePath(directory: string): string {
  return join(directory, 'artifactstore.db');
}

function storageEnvironment(directory: string): Record<string, string> {
  return {
    ARTIFACTSTORE_DATABASE_URL: `sqlite:${databasePath(directory)}`,
    ARTIFACTSTORE_STORAGE_LOCAL_ROOT: join(directory, 'storage'),
  };
}

const bin = fileURLToPath(new URL('../bin/artifactstore.js', import.meta.url));
/** Good on loopback for the minutes that a run takes. */
const token = 'bench-token';
