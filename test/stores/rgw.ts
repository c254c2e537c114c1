import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { cephConfiguration, cephKeyring, cephPorts, gatewayPort, monitorAddress } from './ceph-configuration.ts';
import { within } from './ceph-root.ts';
import { answering, type Daemon, startDaemon } from './daemon.ts';
import { freePorts } from './free-ports.ts';
import { clientOf, type RealStore, type StoreKeys, whyMissing } from './store.ts';

export interface RgwOptions {
  /** `memstore` by default: it starts sooner, and forgets everything with its process. */
  readonly store?: 'memstore' | 'bluestore';
  /** Where its programs are, as `ceph20` of ceph-root.ts; the machine's own by default. */
  readonly root?: string;
  /** A temporary one by default. */
  readonly directory?: string;
  /** The first of twelve; free ones are looked for by default. */
  readonly firstPort?: number;
  /** More lines for the gateway's section of ceph.conf. */
  readonly configuration?: readonly string[];
}

export interface RgwUser {
  readonly id: string;
  readonly keys: StoreKeys;
}

/** A whole Ceph cluster of three processes: a monitor, an object store daemon, and the gateway with S3, IAM and STS. */
export interface Rgw extends RealStore {
  /** May manage roles, identity providers and their policies. */
  readonly admin: RgwUser;
  readonly user: RgwUser;
  createUser(capabilities?: string): Promise<RgwUser>;
  /** `radosgw-admin`; what it says. */
  administer(...args: readonly string[]): Promise<string>;
  /** The user's by default. */
  createBucket(keys?: StoreKeys): Promise<string>;
  /** Limits what lies in one bucket, or in all of a user's, in bytes; undefined lifts the limit. */
  limit(subject: { readonly bucket: string } | { readonly user: string }, bytes: number | undefined): Promise<void>;
  suspend(userId: string): Promise<void>;
  enable(userId: string): Promise<void>;
  /** The gateway crashes. */
  kill(): Promise<void>;
  /** The gateway is shut down. */
  stop(): Promise<void>;
  /** The gateway comes back, at the same address. */
  restart(): Promise<void>;
  /** Requests hang from now on: the daemon behind the gateway stands still. */
  freeze(): void;
  thaw(): void;
}

export function whyNoRgw(): string | undefined {
  return whyMissing('rgw', ['ceph', 'ceph-mon', 'ceph-osd', 'monmaptool', 'radosgw', 'radosgw-admin'], 'tools/stores/install-ceph.sh');
}

export async function startRgw(options: RgwOptions = {}): Promise<Rgw> {
  await using starting = new AsyncDisposableStack();
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'artifactstore-rgw-')));
  starting.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  const firstPort = options.firstPort ?? (await freePorts(cephPorts));
  const configurationFile = join(directory, 'ceph.conf');
  const clusterId = randomUUID();
  const { configuration = [], store = 'memstore' } = options;
  await Promise.all(['mon', 'osd', 'rgw'].map((folder) => mkdir(join(directory, folder))));
  await writeFile(configurationFile, cephConfiguration({ directory, clusterId, store, firstPort, configuration }));
  const inside = starting.use(within(options.root, directory));
  const run = (program: string, ...args: readonly string[]) =>
    promisify(execFile)(...inside.command(program, args), {
      env: { PATH: path, HOME: directory, LC_ALL: 'C.UTF-8', CEPH_CONF: configurationFile },
    });
  const daemon = async (program: string, ...args: readonly string[]): Promise<Daemon> =>
    startDaemon(...inside.command(program, [...args, '-f', '--conf', configurationFile]), {
      directory,
      logFile: join(directory, `${program}.out`),
    });

  const makeKey = options.root === undefined ? undefined : async () => (await run('ceph-authtool', '--gen-print-key')).stdout.trim();
  await writeFile(join(directory, 'keyring'), await cephKeyring(makeKey), { mode: 0o600 });
  const map = join(directory, 'monmap');
  await run('monmaptool', '--create', '--fsid', clusterId, '--addv', 'a', monitorAddress(firstPort), map);
  await run('ceph-mon', '-i', 'a', '--mkfs', '--monmap', map, '--keyring', join(directory, 'keyring'));
  const monitor = await daemon('ceph-mon', '-i', 'a');
  starting.defer(() => monitor.kill());
  const diskId = randomUUID();
  await Promise.all([
    run('ceph', '--connect-timeout', '300', 'osd', 'new', diskId, '0'),
    run('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', diskId, '--no-mon-config'),
  ]);
  const disk = await daemon('ceph-osd', '-i', '0');
  starting.defer(() => disk.kill());

  const url = `http://127.0.0.1:${gatewayPort(firstPort)}`;
  let gateway: Daemon | undefined;
  const restart = async (): Promise<void> => {
    await gateway?.stop();
    gateway = await daemon('radosgw', '-n', 'client.rgw');
    await answering(url, gateway, join(directory, 'radosgw.out'));
  };
  starting.defer(() => gateway?.kill());
  await restart();

  const administer = async (...args: readonly string[]): Promise<{ readonly stdout: string }> => {
    for (let attempt = 1; ; attempt++)
      try {
        return await run('radosgw-admin', '-n', 'client.rgw', ...args);
      } catch (error) {
        const { signal, stdout = '' } = error as { readonly signal?: string; readonly stdout?: string };
        // Where the machine is busy the tool of Ceph 16 may crash while it ends, after it has said what it did.
        if (signal === 'SIGSEGV' && /^\{.*\}\s*$/s.test(stdout)) return { stdout };
        // Of limits it says nothing: they are set again.
        if (signal !== 'SIGSEGV' || args[0] !== 'quota' || attempt === 5) throw error;
      }
  };
  const createUser = async (capabilities?: string): Promise<RgwUser> => {
    const id = `user-${randomBytes(4).toString('hex')}`;
    const keys = { accessKeyId: randomBytes(10).toString('hex').toUpperCase(), secretAccessKey: randomBytes(20).toString('hex') };
    const withKeys = ['--access-key', keys.accessKeyId, '--secret-key', keys.secretAccessKey];
    const allowed = capabilities === undefined ? [] : ['--caps', capabilities];
    await administer('user', 'create', '--uid', id, '--display-name', id, ...withKeys, ...allowed);
    return { id, keys };
  };
  const [admin, user] = await Promise.all([createUser('roles=*;oidc-provider=*;user-policy=*'), createUser()]);
  const { stdout } = await run('radosgw', '--version');
  const region = 'us-east-1';
  const running = starting.move();

  return {
    name: 'Ceph RGW',
    version: /version (\S+)/.exec(stdout)?.[1] ?? stdout,
    url,
    region,
    keys: user.keys,
    admin,
    user,
    createUser,
    administer: async (...args) => (await administer(...args)).stdout,
    async createBucket(keys = user.keys) {
      const Bucket = `bucket-${randomBytes(6).toString('hex')}`;
      const client = clientOf({ url, region, keys });
      await client.send(new CreateBucketCommand({ Bucket })).finally(() => client.destroy());
      return Bucket;
    },
    async limit(subject, bytes) {
      const whose = 'bucket' in subject ? ['--bucket', subject.bucket] : ['--quota-scope', 'user', '--uid', subject.user];
      if (bytes === undefined) await administer('quota', 'disable', ...whose);
      else {
        await administer('quota', 'set', ...whose, '--max-size', String(bytes));
        await administer('quota', 'enable', ...whose);
      }
    },
    suspend: async (userId) => void (await administer('user', 'suspend', '--uid', userId)),
    enable: async (userId) => void (await administer('user', 'enable', '--uid', userId)),
    kill: async () => await gateway?.kill(),
    stop: async () => await gateway?.stop(),
    restart,
    freeze: () => disk.signal('SIGSTOP'),
    thaw: () => disk.signal('SIGCONT'),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const path = '/usr/sbin:/usr/bin:/sbin:/bin';
