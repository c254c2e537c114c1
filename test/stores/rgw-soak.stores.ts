import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type PostgresServer, startPostgres } from '../postgres-server.ts';
import { soak } from '../soak/soak.ts';
import { type Issuer, startIssuer } from './issuer.ts';
import { settingsFor } from './place.ts';
import { type Rgw, startRgw, whyNoRgw } from './rgw.ts';
import { prepareWebIdentity } from './web-identity.ts';

/** `ARTIFACTSTORE_TEST_STORE_SOAK_REQUESTS` asks for more or fewer. */
const operations = Number(process.env.ARTIFACTSTORE_TEST_STORE_SOAK_REQUESTS ?? 4000);

describe(`${operations} requests of eight producers to two servers on Ceph RGW, beside collections`, { skip: whyNoRgw() ?? false }, () => {
  const opened = new AsyncDisposableStack();
  let rgw: Rgw;
  let issuer: Issuer;
  let postgres: PostgresServer;
  before(async () => {
    rgw = opened.use(await startRgw());
    issuer = opened.use(await startIssuer());
    postgres = opened.adopt(await startPostgres(), (server) => server.stop());
  });
  after(() => opened.disposeAsync());

  it('with the keys of a user, on SQLite', async (context) => {
    const environment = settingsFor(rgw, await rgw.createBucket());
    const result = await soak({ databaseUrl: 'sqlite:./soak.db', operations, seed: 3, environment, backendId: 's3' });
    assert.ok(result.requests >= operations);
    context.diagnostic(JSON.stringify(result));
  });

  it('with short-lived keys of a role, on PostgreSQL', async (context) => {
    const bucket = await rgw.createBucket();
    const identity = opened.use(await prepareWebIdentity(rgw, issuer, bucket));
    // Of several who take a role for the first time at once Ceph refuses some: here it is one.
    await identity.take();
    // Keys that are renewed a few times while this goes on.
    const environment = { ...settingsFor(rgw, bucket, identity), ARTIFACTSTORE_S3_SESSION_DURATION_SECONDS: '20' };
    const result = await soak({ databaseUrl: await postgres.createDatabase(), operations, seed: 4, environment, backendId: 's3' });
    assert.ok(result.requests >= operations);
    context.diagnostic(JSON.stringify(result));
  });
});
