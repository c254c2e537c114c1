import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openWorkplace } from '../cli/workplace.ts';
import { startTcpProxy, through } from '../database/tcp-proxy.ts';
import { type PostgresServer, startPostgres } from '../postgres-server.ts';

let server: PostgresServer;
before(async () => {
  server = await startPostgres();
});
after(() => server.stop());

test('serve waits for a PostgreSQL that is not up yet and says so, and says at once what waiting does not mend', async () => {
  const url = await server.createDatabase();
  await using proxy = await startTcpProxy(1);
  using place = openWorkplace({ ARTIFACTSTORE_DATABASE_URL: through(proxy, url) });
  const wrong = new URL(url);
  wrong.password = 'a-secret-that-is-wrong';
  using other = openWorkplace({ ARTIFACTSTORE_DATABASE_URL: wrong.href });
  const refused = other.spawned('serve', '--port', '0');
  using migrating = openWorkplace({ ARTIFACTSTORE_DATABASE_URL: url });
  await migrating.json('migrate');

  const early = place.start('serve', '--port', '0');
  const said: string[] = [];
  for (const stream of [early.stdout!, early.stderr!]) stream.on('data', (chunk: Uint8Array) => void said.push(chunk.toString()));
  const until = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(said.join(''))) {
      assert.equal(early.exitCode, null, said.join(''));
      await new Promise((next) => setTimeout(next, 20));
    }
  };
  await until(/"reason":"PostgreSQL at 127\.0\.0\.1:\d+ \(ARTIFACTSTORE_DATABASE_URL\).*"msg":"waiting for the database"/);
  proxy.lead(Number(new URL(url).port));
  await until(/"msg":"listening"/);

  const { code, stdout, stderr } = await refused;
  assert.equal(code, 6);
  assert.match(stderr, /refuses the user "test": the password is wrong/);
  assert.ok(!`${stdout}${stderr}`.includes('a-secret'));
});
