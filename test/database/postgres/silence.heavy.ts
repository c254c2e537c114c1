import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
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
    assert.ok(forgotten < 12_000, `${forgotten} ms`);

    proxy.silence('all');
    const writing = timed(() => database.write('addPackages', { count: 1 }).catch((error: unknown) => error));
    const [asked, health] = await timed(() => database.health());
    assert.ok(!health.healthy && asked < 4_000, `${asked} ms`);
    assert.match(health.detail, /does not answer/);
    const [waited, error] = await writing;
    assert.ok(isArtifactstoreError(error, 'database_unavailable'), String(error));
    assert.ok(waited < 22_000, `${waited} ms`);
    const [read, readError] = await timed(() => database.read('countEvents', null).catch((reason: unknown) => reason));
    assert.ok(isArtifactstoreError(readError, 'database_unavailable') && read < 15_000, `${read} ms ${String(readError)}`);

    proxy.speak();
    await database.write('addPackages', { count: 1 });
    assert.equal((await database.health()).healthy, true);
    assert.equal(await database.read('countEvents', null), 3);
    proxy.silence('all');
    const hanging = database.write('addPackages', { count: 1 }).catch((reason: unknown) => reason);
    const [closing] = await timed(() => database.close());
    assert.ok(closing < 10_000, `${closing} ms`);
    assert.ok(isArtifactstoreError(await hanging, 'database_unavailable'));
  });

  test('while a commit is under way leaves it unknown, and says so', async () => {
    const url = await server.createDatabase();
    await using proxy = await startTcpProxy(Number(new URL(url).port));
    const database: Database<FaultOperations> = await openPostgres({ connectionString: through(proxy, url), operations, migrate: true });
    await execute(
      url,
      `create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(1); return new; end';
       create constraint trigger slow after update on log_head deferrable initially deferred for each row execute function slow()`,
    );
    const writing = database.write('addPackages', { count: 1 }).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 500));
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
    const holding = execute(url, 'begin; select from log_head for update; select pg_sleep(12)');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const [waited, error] = await timed(() => database.write('addPackages', { count: 1 }).catch((reason: unknown) => reason));
    assert.ok(isArtifactstoreError(error, 'database_unavailable') && /holds the log/.test(error.message), String(error));
    assert.ok(waited < 12_000, `${waited} ms`);
    await holding;
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
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const ready = await fetch(`${serving.url}/readyz`);
    assert.equal(ready.status, 503);
    const [ending, code] = await timed(() => serving.signal('SIGTERM'));
    assert.ok(ending < 45_000, `${ending} ms`);
    assert.equal(code, 0);
    assert.ok([503, undefined].includes(await post));
  });
});

async function timed<T>(body: () => Promise<T>): Promise<readonly [milliseconds: number, result: T]> {
  const began = performance.now();
  const result = await body();
  return [Math.round(performance.now() - began), result];
}
