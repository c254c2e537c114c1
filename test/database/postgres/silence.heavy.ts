import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import type { Database } from '../../../src/database/DATABASE.ts';
import { openPostgres } from '../../../src/database/postgres/postgres.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { openWorkplace } from '../../cli/workplace.ts';
import { execute, type PostgresServer, startPostgres } from '../../postgres-server.ts';
import { type FaultOperations, faultOperationsUrl } from '../fault-operations.ts';
import { startTcpProxy, through } from '../tcp-proxy.ts';

let server: PostgresServer;
before(async () => {
  server = await startPostgres();
});
after(() => server.stop());

const operations = { url: faultOperationsUrl };

/**
 * What is given up after 20 seconds at most takes longer where the machine is busy; a connection that nobody gives up
 * takes a quarter of an hour.
 */
const boundMilliseconds = 90_000;

describe('a server that falls silent', () => {
  test('makes a write fail in bounded time and health say so, and one that only forgot its flows costs a wait', async () => {
    const url = await server.createDatabase();
    await using proxy = await startTcpProxy(Number(new URL(url).port));
    const database: Database<FaultOperations> = await openPostgres({ connectionString: through(proxy, url), operations, migrate: true });
    await database.write('addPackages', { count: 1 });
    await database.read('countEvents', null);

    proxy.silence('existing');
    const [forgotten, written] = await timed(() => database.write('addPackages', { count: 1 }));
    assert.deepEqual(written, [2], 'a new connection comes through');
    assert.ok(forgotten < boundMilliseconds, `${forgotten} ms`);

    proxy.silence('all');
    let isWaiting = true;
    const writing = timed(() => database.write('addPackages', { count: 1 }).catch((error: unknown) => error)).finally(() => {
      isWaiting = false;
    });
    const health = await database.health();
    assert.ok(!health.healthy && isWaiting, 'health says so before a write is given up');
    assert.match(health.detail, /does not answer/);
    const [waited, error] = await writing;
    assert.ok(isArtifactstoreError(error, 'database_unavailable'), String(error));
    assert.ok(waited < boundMilliseconds, `${waited} ms`);
    const [read, readError] = await timed(() => database.read('countEvents', null).catch((reason: unknown) => reason));
    assert.ok(isArtifactstoreError(readError, 'database_unavailable') && read < boundMilliseconds, `${read} ms ${String(readError)}`);

    proxy.speak();
    await database.write('addPackages', { count: 1 });
    assert.equal((await database.health()).healthy, true);
    assert.equal(await database.read('countEvents', null), 3);
    proxy.silence('all');
    const hanging = database.write('addPackages', { count: 1 }).catch((reason: unknown) => reason);
    const [closing] = await timed(() => database.close());
    assert.ok(closing < boundMilliseconds, `${closing} ms`);
    assert.ok(isArtifactstoreError(await hanging, 'database_unavailable'));
  });

  test('while a commit is under way leaves it unknown, and says so', async () => {
    const url = await server.createDatabase();
    await using proxy = await startTcpProxy(Number(new URL(url).port));
    const database: Database<FaultOperations> = await openPostgres({ connectionString: through(proxy, url), operations, migrate: true });
    await execute(
      url,
      `create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(5); return new; end';
       create constraint trigger slow after update on log_head deferrable initially deferred for each row execute function slow()`,
    );
    const writing = database.write('addPackages', { count: 1 }).catch((error: unknown) => error);
    const commits = "select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
    while ((await execute(url, commits)).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    proxy.silence('existing');
    const error = await writing;
    assert.ok(isArtifactstoreError(error, 'database_unavailable'), String(error));
    assert.match(error.message, /Whether it was is not known; repeat the request/);
    assert.equal(await database.read('countEvents', null), 1, 'it was, once, and is not done again by itself');
    await database.close();
  });

  test('while another holds the log makes writers wait for ten seconds, not for ever', async () => {
    const url = await server.createDatabase();
    const database: Database<FaultOperations> = await openPostgres({ connectionString: url, operations, migrate: true });
    const holder = new Client({ connectionString: url });
    await holder.connect();
    await holder.query('begin; select from log_head for update');
    const [waited, error] = await timed(() => database.write('addPackages', { count: 1 }).catch((reason: unknown) => reason));
    assert.ok(isArtifactstoreError(error, 'database_unavailable') && /holds the log/.test(error.message), String(error));
    assert.ok(waited < boundMilliseconds, `${waited} ms`);
    await holder.end();
    await database.write('addPackages', { count: 1 });
    await database.close();
  });

  test('makes readiness fail, and the server ends on SIGTERM all the same', async () => {
    const url = await server.createDatabase();
    await using proxy = await startTcpProxy(Number(new URL(url).port));
    using place = openWorkplace({ ARTIFACTSTORE_DATABASE_URL: through(proxy, url) });
    await place.json('migrate');
    const serving = await place.serve('serve', '--port', '0');
    assert.equal((await fetch(`${serving.url}/readyz`)).status, 200);
    proxy.silence('all');
    const post = fetch(`${serving.url}/packages`, {
      method: 'POST',
      headers: { authorization: 'Bearer cli-test-token', 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' }),
    }).then(
      ({ status }) => status,
      () => undefined,
    );
    const ready = async (): Promise<number> => (await fetch(`${serving.url}/readyz`)).status;
    for (let tries = 0; (await ready()) !== 503; tries++) {
      assert.ok(tries < 300, 'it is ready all the same');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const [ending, code] = await timed(() => serving.signal('SIGTERM'));
    assert.ok(ending < boundMilliseconds, `${ending} ms`);
    assert.equal(code, 0);
    assert.ok([503, undefined].includes(await post));
  });
});

async function timed<T>(body: () => Promise<T>): Promise<readonly [milliseconds: number, result: T]> {
  const began = performance.now();
  const result = await body();
  return [Math.round(performance.now() - began), result];
}
