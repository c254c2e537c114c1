import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { execute, type PostgresServer, startPostgres } from '../postgres-server.ts';
import { openTestRegistry, type TestRegistry } from './open-registry.ts';

// The commands are those of docs/operate.md, run line by line while a writer writes and a collection comes between.

const compileCache = process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'artifactstore-test-compile-cache');
const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/operate.md'), 'utf8');
const section = page.slice(page.indexOf('## Backup and restore'), page.indexOf('## Upgrade'));
const [backup, postgresDump, restore] = Array.from(section.matchAll(/```sh\n(.*?)```/gs), ([, script]) => script!.trim().split('\n'));

describe('backup and restore', () => {
  let tools: string;
  before(async () => {
    tools = mkdtempSync(join(tmpdir(), 'artifactstore-tools-'));
    symlinkSync(join(root, 'bin/artifactstore.js'), join(tools, 'artifactstore'));
    symlinkSync(process.execPath, join(tools, 'node'));
    if (!(await isThere('rsync'))) {
      writeFileSync(join(tools, 'rsync'), standInForRsync);
      chmodSync(join(tools, 'rsync'), 0o755);
    }
  });
  after(() => rmSync(tools, { recursive: true, force: true }));

  const shell = async (directory: string, line: string, environment: Readonly<Record<string, string>> = {}): Promise<string> => {
    const env = { PATH: `${tools}:${process.env.PATH}`, HOME: directory, NODE_COMPILE_CACHE: compileCache, ...environment };
    return (await run('sh', ['-ec', line], { cwd: directory, env })).stdout;
  };

  it('brings a SQLite registry back that was written to and collected meanwhile', async () => {
    await using store = await openTestRegistry();
    const story = startStory(store);
    await story.begin();
    for (const line of backup!) {
      await shell(store.directory, line);
      if (line.startsWith('rsync')) await story.goOn();
      if (line.includes('VACUUM')) await story.collect();
    }
    await story.end();

    const place = mkdtempSync(join(tmpdir(), 'artifactstore-restored-'));
    try {
      symlinkSync(join(store.directory, 'backup'), join(place, 'backup'));
      const answers = new Map<string, string>();
      for (const line of restore!) answers.set(line.split(/ +#/)[0]!, await shell(place, line));
      const head = JSON.parse(readFileSync(join(place, 'backup/head.json'), 'utf8')) as { readonly ok: boolean };
      assert.equal(head.ok, true);
      assert.deepEqual(JSON.parse(answers.get('artifactstore events verify --json')!), head);
      await using restored = await openTestRegistry(environmentOf(place));
      await story.check(restored);
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  });

  describe('on PostgreSQL', () => {
    let server: PostgresServer;
    before(async () => {
      server = await startPostgres();
    });
    after(() => server.stop());

    it('brings a registry back', async (context) => {
      const url = await server.createDatabase();
      const into = await server.createDatabase();
      await using store = await openTestRegistry({ ARTIFACTSTORE_DATABASE_URL: url });
      const fits = await canDump(url);
      if (!fits) context.diagnostic('there is no pg_dump as new as the server: its snapshot is taken table by table instead');
      const story = startStory(store);
      await story.begin();
      await shell(store.directory, backup![0]!);
      const pass = backup!.find((line) => line.startsWith('rsync'))!;
      await shell(store.directory, pass);
      await story.goOn();
      if (fits) await shell(store.directory, postgresDump![0]!, { ARTIFACTSTORE_DATABASE_URL: url });
      else await copyTables(url, into);
      await story.collect();
      await shell(store.directory, pass);
      await story.end();

      const place = mkdtempSync(join(tmpdir(), 'artifactstore-restored-'));
      try {
        symlinkSync(join(store.directory, 'backup'), join(place, 'backup'));
        const environment = { ...environmentOf(place), ARTIFACTSTORE_DATABASE_URL: into };
        if (fits) await shell(place, /pg_restore [^\n]*/.exec(section)![0], environment);
        for (const line of restore!.filter((line) => !line.includes('artifactstore'))) await shell(place, line, environment);
        await using restored = await openTestRegistry(environment);
        await story.check(restored);
      } finally {
        rmSync(place, { recursive: true, force: true });
      }
    });
  });
});

interface Story {
  begin(): Promise<void>;
  /** Something more is acknowledged. */
  goOn(): Promise<void>;
  /** What was acknowledged before the backup began is given up and its bytes deleted. */
  collect(): Promise<void>;
  end(): Promise<void>;
  /** That a restored registry is whole and has what it must have. */
  check(restored: TestRegistry): Promise<void>;
}

/** The life of a registry during its backup, beside a writer that goes on. */
function startStory(store: TestRegistry): Story {
  const registry = store.as('producer');
  const first = new Map<string, string>();
  const stop = new AbortController();
  let number = 0;
  let givenUp = '';
  let writing = Promise.resolve();

  const add = async (text: string): Promise<string> => {
    const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'permanent-record' });
    await registry.files.add(record.id, { relative_path: 'f', body: body(text) });
    return record.id;
  };
  const addSealed = async (): Promise<readonly [string, string]> => {
    const text = `content ${number++}`;
    const id = await add(text);
    await registry.packages.finalize(id);
    return [id, text];
  };

  return {
    async begin() {
      for (let count = 0; count < 10; count++) first.set(...(await addSealed()));
      givenUp = await add('given up after the database was copied');
      first.set(givenUp, 'given up after the database was copied');
      writing = (async () => {
        while (!stop.signal.aborted) {
          await addSealed();
          await sleep(10);
        }
      })();
    },
    async goOn() {
      await addSealed();
    },
    async collect() {
      await registry.packages.abandon(givenUp);
      assert.equal((await store.operator.collect()).deleted_objects, 1);
    },
    async end() {
      stop.abort();
      await writing;
    },
    async check(restored) {
      const reader = restored.as('reader');
      for (const [id, text] of first) assert.equal(await read(restored, id), text);
      assert.equal((await restored.operator.verifyEvents()).ok, true);
      await restored.operator.replay();
      const { objects, failed, missing } = await restored.operator.verifyStorage('local', { restart: true });
      assert.deepEqual({ failed, missing }, { failed: 0, missing: 0 });
      assert.ok(objects >= first.size + 1, 'what was written after the first pass is there, too');
      assert.equal((await reader.health()).status, 'ok');
      const { backends } = await restored.operator.collect();
      for (const { stored_bytes, live_bytes } of backends) assert.equal(stored_bytes, live_bytes);
      for (const [id, text] of first) assert.equal(await read(restored, id), text);
    },
  };
}

async function read(store: TestRegistry, package_id: string): Promise<string> {
  const opened = await store.as('reader').files.open({ package_id, relative_path: 'f' });
  let text = '';
  for await (const chunk of opened!.body) text += Buffer.from(chunk).toString();
  return text;
}

async function* body(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

function environmentOf(place: string): Readonly<Record<string, string>> {
  mkdirSync(join(place, 'var'), { recursive: true });
  return {
    ARTIFACTSTORE_DATABASE_URL: `sqlite:${join(place, 'var/artifactstore.db')}`,
    ARTIFACTSTORE_STORAGE_LOCAL_ROOT: join(place, 'var/storage'),
  };
}

async function isThere(program: string): Promise<boolean> {
  return await run('sh', ['-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  );
}

/** Does what the options in the page mean, where there is no rsync. */
const standInForRsync = `#!/bin/sh
[ "$1 $2" = "-a --exclude=/drafts" ] || exit 1
for name in "$3"*; do
  [ "$name" = "$3drafts" ] || cp -Rpn "$name" "$4" || exit 24
done
`;

/** Whether there are pg_dump and pg_restore that know this server. */
async function canDump(url: string): Promise<boolean> {
  if (!(await isThere('pg_dump')) || !(await isThere('pg_restore'))) return false;
  const [server] = await execute(url, "select current_setting('server_version_num')::int / 10000 as major");
  const { stdout } = await run('pg_dump', ['--version']);
  return Number(/(\d+)\.\d+/.exec(stdout)?.[1]) >= Number(server!.major);
}

/** What pg_dump does: every row of one snapshot, into an empty schema. */
async function copyTables(from: string, into: string): Promise<void> {
  await (await openTestRegistry({ ARTIFACTSTORE_DATABASE_URL: into })).close();
  const source = new Client({ connectionString: from });
  await source.connect();
  try {
    await source.query('begin isolation level repeatable read read only');
    const { rows } = await source.query("select tablename from pg_tables where schemaname = 'public' order by tablename");
    for (const { tablename } of rows as { readonly tablename: string }[]) {
      const all = await source.query(`select coalesce(json_agg(t), '[]')::text as rows from ${tablename} t`);
      const json = (all.rows[0] as { readonly rows: string }).rows.replaceAll("'", "''");
      if (tablename !== 'events') await execute(into, `delete from ${tablename}`);
      await execute(into, `insert into ${tablename} select * from json_populate_recordset(null::${tablename}, '${json}')`);
    }
  } finally {
    await source.end();
  }
}
