import { after, before, describe } from 'node:test';
import { endToEndOn } from './end-to-end.ts';
import { whyNoRgw } from './rgw.ts';
import { type RgwWithRoles, startRgwWithRoles } from './rgw-with-roles.ts';
import { prepareWebIdentity } from './web-identity.ts';

describe('Ceph RGW', { skip: whyNoRgw() ?? false }, () => {
  let place: RgwWithRoles;
  before(async () => {
    place = await startRgwWithRoles();
  });
  after(() => place[Symbol.asyncDispose]());

  endToEndOn('with the keys of a user, on SQLite', async () => ({ store: place.rgw, bucket: await place.rgw.createBucket() }));

  endToEndOn('with short-lived keys of a role, on PostgreSQL', async () => {
    const bucket = await place.rgw.createBucket();
    const identity = place.use(await prepareWebIdentity(place.rgw, place.issuer, bucket));
    return { store: place.rgw, bucket, identity, databaseUrl: await place.postgres.createDatabase() };
  });
});
