import { after, before, describe } from 'node:test';
import { type PostgresServer, startPostgres } from '../postgres-server.ts';
import { endToEndOn } from './end-to-end.ts';
import { type Issuer, startIssuer } from './issuer.ts';
import { type Rgw, startRgw, whyNoRgw } from './rgw.ts';
import { prepareWebIdentity } from './web-identity.ts';

describe('Ceph RGW', { skip: whyNoRgw() ?? false }, () => {
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

  endToEndOn('with the keys of a user, on SQLite', async () => ({ store: rgw, bucket: await rgw.createBucket() }));

  endToEndOn('with short-lived keys of a role, on PostgreSQL', async () => {
    const bucket = await rgw.createBucket();
    const identity = opened.use(await prepareWebIdentity(rgw, issuer, bucket));
    return { store: rgw, bucket, identity, databaseUrl: await postgres.createDatabase() };
  });
});
