import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { soak } from '../soak/soak.ts';
import { settingsFor } from './place.ts';
import { whyNoRgw } from './rgw.ts';
import { type RgwWithRoles, startRgwWithRoles } from './rgw-with-roles.ts';
import { prepareWebIdentity } from './web-identity.ts';

/** `ARTIFACTSTORE_TEST_STORE_SOAK_REQUESTS` asks for more or fewer. */
const operations = Number(process.env.ARTIFACTSTORE_TEST_STORE_SOAK_REQUESTS ?? 4000);

describe(`${operations} requests of eight producers to two servers on Ceph RGW, beside collections`, { skip: whyNoRgw() ?? false }, () => {
  let place: RgwWithRoles;
  before(async () => {
    place = await startRgwWithRoles();
  });
  after(() => place[Symbol.asyncDispose]());

  it('with the keys of a user, on SQLite', async (context) => {
    const environment = settingsFor(place.rgw, await place.rgw.createBucket());
    const result = await soak({ databaseUrl: 'sqlite:./soak.db', operations, seed: 3, environment, backendId: 's3' });
    assert.ok(result.requests >= operations);
    context.diagnostic(JSON.stringify(result));
  });

  it('with short-lived keys of a role, on PostgreSQL', async (context) => {
    const bucket = await place.rgw.createBucket();
    const identity = place.use(await prepareWebIdentity(place.rgw, place.issuer, bucket));
    // Of several who take a role for the first time at once Ceph refuses some: here it is one.
    await identity.take();
    // Keys that are renewed a few times while this goes on.
    const environment = { ...settingsFor(place.rgw, bucket, identity), ARTIFACTSTORE_S3_SESSION_DURATION_SECONDS: '20' };
    const result = await soak({ databaseUrl: await place.postgres.createDatabase(), operations, seed: 4, environment, backendId: 's3' });
    assert.ok(result.requests >= operations);
    context.diagnostic(JSON.stringify(result));
  });
});
