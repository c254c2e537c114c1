import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseDatabaseUrl } from '../../../src/config/database-url.ts';
import type { Database } from '../../../src/database/DATABASE.ts';
import { connect } from '../../../src/database/postgres/connection.ts';
import { refusal } from '../../../src/database/postgres/greeting.ts';
import { openPostgres } from '../../../src/database/postgres/postgres.ts';
import { type ErrorCode, isArtifactstoreError } from '../../../src/kernel/error.ts';
import { execute, type PostgresServer, startPostgres } from '../../postgres-server.ts';
import { selfSignedCertificate } from '../../stores/certificate.ts';
import { type FaultOperations, faultOperationsUrl } from '../fault-operations.ts';
import { startTcpProxy, through } from '../tcp-proxy.ts';

let server: PostgresServer;
let url: string;
before(async () => {
  server = await startPostgres();
  url = await server.createDatabase();
});
after(() => server.stop());

const operations = { url: faultOperationsUrl };
const secret = 'a-password-that-nobody-may-see';

describe('a connection to PostgreSQL', () => {
  test('that fails says where, why and which setting, and never the password', async () => {
    const foreign = await server.createDatabase();
    await execute(foreign, 'create table events (id int); create table schema_migrations (version text)');
    await execute(
      url,
      `create user crowded password '${secret}' connection limit 0; create user weak password '${secret}';
       revoke create on schema public from public`,
    );
    const latin = `latin_${new URL(url).pathname.slice(1)}`;
    await execute(url, `create database ${latin} encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0`);
    const cases: Readonly<Record<string, readonly [string, ErrorCode, RegExp]>> = {
      'wrong password': [changed({ password: secret }), 'database_unavailable', /refuses the user "test": the password is wrong/],
      'no such user': [changed({ username: 'stranger', password: secret }), 'database_unavailable', /refuses the user "stranger"/],
      'no password': [changed({ password: '' }), 'database_unavailable', /asks for a password, and the URL gives none/],
      'no such database': [changed({ pathname: '/nowhere' }), 'database_unavailable', /has no database "nowhere"/],
      'closed port': [changed({ port: '1', password: secret }), 'database_unavailable', /127\.0\.0\.1:1 .*nothing listens there/],
      'unknown host': [
        changed({ hostname: 'nowhere.invalid', password: secret }),
        'database_unavailable',
        /nowhere\.invalid.*no such host|looked up/,
      ],
      'no TLS there': [changed({ search: '?sslmode=require' }), 'database_unavailable', /has no TLS, and sslmode/],
      'no certificate file': [
        changed({ search: '?sslmode=verify-full&sslrootcert=/nowhere/ca.pem' }),
        'invalid_configuration',
        /"\/nowhere\/ca\.pem", which sslrootcert in ARTIFACTSTORE_DATABASE_URL names/,
      ],
      'too many connections': [changed({ username: 'crowded', password: secret }), 'database_unavailable', /no connection left: too many/],
      'no rights': [changed({ username: 'weak', password: secret }), 'database_unavailable', /"weak": permission denied for schema public/],
      'no socket': [`postgresql://u:${secret}@%2Fnowhere/db`, 'database_unavailable', /\/nowhere\/\.s\.PGSQL\.5432 .*no such socket/],
      encoding: [changed({ pathname: `/${latin}` }), 'invalid_configuration', /encoding LATIN1, and UTF8 is needed/],
      'a foreign database': [foreign, 'invalid_configuration', /tables of another program .*: events, schema_migrations/],
    };
    // It is the right one, and yet for no host that a URL names without it.
    process.env.PGPASSWORD = decodeURIComponent(new URL(url).password);
    for (const [name, [connectionString, code, message]] of Object.entries(cases)) {
      const error: unknown = await openPostgres({ connectionString, operations, migrate: true }).catch((reason: unknown) => reason);
      assert.ok(isArtifactstoreError(error, code), `${name}: ${String(error)}`);
      assert.match(error.message, message, name);
      if (name !== 'a foreign database') assert.match(error.message, /ARTIFACTSTORE_DATABASE_URL/, name);
      assert.ok(!JSON.stringify([error.message, error.info, error.stack, String(error.cause)]).includes(secret), name);
    }
    delete process.env.PGPASSWORD;
    assert.deepEqual(await execute(foreign, "select count(*)::int as tables from pg_tables where schemaname = 'public'"), [{ tables: 2 }]);
  });

  test('is told from that to another service', async () => {
    const web = createServer((socket) =>
      socket.on('error', () => undefined).on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    );
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const connectionString = `postgresql://u:${secret}@127.0.0.1:${(web.address() as AddressInfo).port}/d`;
    await assert.rejects(openPostgres({ connectionString, operations, migrate: true }), /is no PostgreSQL: something else listens there/);
    web.close();
  });

  test('is refused by a server that is too old, has another encoding or follows another', () => {
    const good = { version: 160_000, encoding: 'UTF8', standby: false };
    assert.equal(refusal(good, 'x', false), undefined);
    assert.match(refusal({ ...good, version: 150_012 }, 'PostgreSQL at h:1', false)?.message ?? '', /h:1 is version 15, and 16 or later/);
    assert.match(refusal({ ...good, encoding: 'SQL_ASCII' }, 'x', false)?.message ?? '', /SQL_ASCII/);
    assert.match(refusal({ ...good, standby: true }, 'x', false)?.message ?? '', /is a standby/);
    assert.equal(refusal({ ...good, standby: true }, 'x', true), undefined);
  });

  test('is encrypted as sslmode says', async (context) => {
    if (server.crash === undefined) return context.skip("somebody else's server is not given a certificate");
    using place = await offerTls();
    const isEncrypted = async (search: string, hostname = '127.0.0.1') => {
      const { url: target } = parseDatabaseUrl(changed({ search, hostname }), place.directory) as { readonly url: string };
      const connection = await connect({ url: target, readOnly: false });
      const { rows } = await connection.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
      await connection.close();
      return (rows[0] as { readonly ssl: boolean }).ssl;
    };
    assert.equal(await isEncrypted(''), true, 'preferred where nothing is said');
    for (const [mode, expected] of [
      ['disable', false],
      ['prefer', true],
      ['require', true],
      ['no-verify', true],
    ] as const)
      assert.equal(await isEncrypted(`?sslmode=${mode}`), expected, mode);
    assert.equal(await isEncrypted('?sslmode=verify-ca&sslrootcert=ca.pem'), true);
    assert.equal(await isEncrypted('?sslmode=verify-full&sslrootcert=ca.pem', 'localhost'), true);
    for (const [search, message] of [
      ['?sslmode=verify-full', /is not trusted/],
      ['?sslmode=verify-ca&sslrootcert=other.pem', /is not trusted/],
      ['?sslmode=require&sslrootcert=other.pem', /is not trusted/],
      ['?sslmode=verify-full&sslrootcert=ca.pem', /certificate is for another host/],
    ] as const)
      await assert.rejects(
        isEncrypted(search),
        (error) => isArtifactstoreError(error, 'database_unavailable') && message.test(error.message),
      );
  });

  test('is given up when it no longer answers, and closing does not wait for it', async () => {
    await using proxy = await startTcpProxy(Number(new URL(url).port));
    const target = { url: through(proxy, url), readOnly: false };
    const [asking, prompt, idle] = await Promise.all([
      connect(target, { silenceMilliseconds: 4_000 }),
      connect(target, { silenceMilliseconds: 60_000, promptMilliseconds: 3_000 }),
      connect(target),
    ]);
    const slow = await asking.query('select pg_sleep(0.1)');
    assert.equal(slow.rowCount, 1);
    proxy.silence('existing');
    await Promise.all([
      assert.rejects(asking.query('select 1'), /no answer for 4000 ms/),
      assert.rejects(prompt.ask('select 1'), /no answer for 3000 ms/),
    ]);
    assert.equal(asking.isLost() && prompt.isLost(), true);
    await Promise.all([asking.close(), prompt.close(), idle.close()]);
  });
});

describe('a server that has lost events', () => {
  test('is not taken for the one whose events were acknowledged', async () => {
    const connectionString = await server.createDatabase();
    const database: Database<FaultOperations> = await openPostgres({ connectionString, operations, migrate: true });
    await database.write('addPackages', { count: 3 });
    await execute(
      connectionString,
      'alter table events disable trigger user; delete from events where sequence = 3; update log_head set sequence = 2',
    );
    for (const work of [() => database.read('countEvents', null), () => database.write('addPackages', { count: 1 })])
      await assert.rejects(
        work(),
        (error) => isArtifactstoreError(error, 'database_unavailable') && /acknowledged event 3/.test(error.message),
      );
    assert.equal((await database.health()).healthy, false);
    await database.close();
  });
});

function changed(parts: Partial<Pick<URL, 'username' | 'password' | 'hostname' | 'port' | 'pathname' | 'search'>>): string {
  const other = new URL(url);
  Object.assign(other, parts);
  return other.href;
}

/**
 * Lets the server speak TLS, and gives a folder with `ca.pem`, which vouches for it, and `other.pem`, which does not.
 */
async function offerTls(): Promise<Disposable & { readonly directory: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-tls-'));
  const pem = () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const der = selfSignedCertificate(publicKey, privateKey, 'localhost')
      .toString('base64')
      .replace(/(.{64})/g, '$1\n');
    return {
      cert: `-----BEGIN CERTIFICATE-----\n${der}\n-----END CERTIFICATE-----\n`,
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    };
  };
  const { cert, key } = pem();
  writeFileSync(join(directory, 'ca.pem'), cert);
  writeFileSync(join(directory, 'other.pem'), pem().cert);
  const [row] = await execute(url, 'show data_directory');
  const data = String(row?.data_directory);
  writeFileSync(join(data, 'server.crt'), cert);
  writeFileSync(join(data, 'server.key'), key, { mode: 0o600 });
  if (process.getuid?.() === 0) for (const name of ['server.crt', 'server.key']) chownSync(join(data, name), 65534, 65534);
  await execute(url, 'alter system set ssl = on');
  await execute(url, 'select pg_reload_conf()');
  // The postmaster reads it in its own time.
  for (let tries = 0; (await execute(url, 'show ssl'))[0]?.ssl !== 'on'; tries++) {
    assert.ok(tries < 1_000, 'the server has read its settings');
    await new Promise((next) => setTimeout(next, 20));
  }
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}
