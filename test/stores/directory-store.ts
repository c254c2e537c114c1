import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, ListBucketsCommand, type S3Client } from '@aws-sdk/client-s3';
import { answering, startDaemon } from './daemon.ts';
import { freePorts } from './free-ports.ts';
import { clientOf, type RealStore, type StoreKeys, whyMissing } from './store.ts';

/** An S3 server that is one program over a directory. */
export interface DirectoryStoreKind {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  /** Answers 5xx until all that it serves is there; the root by default. */
  readonly readyPath?: string;
  /** How many neighbouring ports it takes, 1 by default; the first is that of S3. */
  readonly ports?: number;
  /** What it does not do that the conformance suite asks for. */
  readonly shortcoming?: string;
  /** What certification cannot remove again, and why. */
  readonly remains?: string;
  /** Why certification does not come to the same end every time, but for registry storage. */
  readonly wavers?: string;
  start(port: number, directory: string, keys: StoreKeys): StartLine;
}

export interface StartLine {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What to write before the start, by path. */
  readonly files?: Readonly<Record<string, string>>;
}

export function whyNo(kind: DirectoryStoreKind): string | undefined {
  return whyMissing(kind.id, [programOf(kind)], `tools/stores/install-${kind.id}.sh`);
}

/** Starts it on a free port, in a temporary directory, with keys that nobody else knows where none are given. */
export async function startDirectoryStore(kind: DirectoryStoreKind, given?: StoreKeys): Promise<RealStore> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), `artifactstore-${kind.id}-`));
  starting.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  const data = join(directory, 'data');
  await mkdir(data);
  const keys = given ?? { accessKeyId: randomBytes(10).toString('hex').toUpperCase(), secretAccessKey: randomBytes(20).toString('hex') };
  const port = await freePorts(kind.ports ?? 1);
  const { args, environment, files = {} } = kind.start(port, data, keys);
  for (const [path, content] of Object.entries(files)) await writeFile(path, content, { mode: 0o600 });
  const logFile = join(directory, 'log');
  const daemon = await startDaemon(programOf(kind), args, { directory, environment, logFile });
  starting.defer(() => daemon.kill());
  const url = `http://127.0.0.1:${port}`;
  await answering(`${url}${kind.readyPath ?? ''}`, daemon, logFile);
  await knowing(clientOf({ url, region: kind.region, keys }));
  const version = await readFile(join(dirname(programOf(kind)), 'VERSION'), 'utf8');
  const running = starting.move();
  return {
    name: kind.name,
    version: version.trim(),
    url,
    region: kind.region,
    keys,
    async createBucket() {
      const Bucket = `bucket-${randomBytes(6).toString('hex')}`;
      const client = clientOf({ url, region: kind.region, keys });
      await client.send(new CreateBucketCommand({ Bucket })).finally(() => client.destroy());
      return Bucket;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Waits until the server knows its owner: it listens before it has read its users. */
async function knowing(client: S3Client): Promise<void> {
  const until = Date.now() + 120_000;
  try {
    for (;;) {
      try {
        await client.send(new ListBucketsCommand());
        return;
      } catch (error) {
        if (Date.now() > until) throw error;
      }
      await sleep(50);
    }
  } finally {
    client.destroy();
  }
}

function programOf({ id }: DirectoryStoreKind): string {
  return fileURLToPath(new URL(`../../node_modules/.cache/stores/${id}/${id}`, import.meta.url));
}
