import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { type PostgresServer, startPostgres } from '../../postgres-server.ts';

const script = join(import.meta.dirname, '../../../deploy/cosmo/scripts/postgres-bootstrap.sh');
const run = promisify(execFile);
const version = Number(/ (\d+)/.exec(spawnSync('psql', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1] ?? 0);
const whyNot =
  process.env.ARTIFACTSTORE_TEST_DATABASE_URL !== undefined
    ? "users of somebody else's server are not made"
    : version < 14
      ? 'there is no psql of 14 or later here: apt-get install postgresql-client'
      : undefined;

describe("Cosmo's user and databases", { skip: whyNot ?? false }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  const word = "a'word\\with-signs";
  const bootstrap = async (secret = word) => {
    const { hostname, port, username, password } = new URL(server.url);
    return await run('sh', [script], {
      env: {
        PATH: process.env.PATH ?? '',
        PGHOST: hostname,
        PGPORT: port,
        POSTGRES_USER: decodeURIComponent(username),
        POSTGRES_PASSWORD: decodeURIComponent(password),
        COSMO_POSTGRES_USER: 'cosmo',
        COSMO_POSTGRES_PASSWORD: secret,
        COSMO_POSTGRES_DB: 'controlplane',
      },
    });
  };

  test('are made once, with a password of any signs, and left as they are the second time', async () => {
    const first = await bootstrap();
    assert.equal(first.stderr, '');
    assert.equal((await bootstrap('another-word')).stderr, '');
    for (const database of ['controlplane', 'keycloak']) {
      const { hostname, port } = new URL(server.url);
      const client = new Client({ host: hostname, port: Number(port), user: 'cosmo', password: word, database });
      await client.connect();
      const { rows } = await client.query('SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = $1', [database]);
      assert.deepEqual(rows, [{ owner: 'cosmo' }]);
      await client.end();
    }
    assert.ok(!first.stdout.includes(word));
  });
});
