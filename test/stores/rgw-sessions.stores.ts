import { after, before, describe } from 'node:test';
import { writeSessionsConformance } from '../../src/registry/conformance/write-sessions.ts';
import { type PostgresServer, startPostgres } from '../postgres-server.ts';
import { openTestRegistry } from '../registry/open-registry.ts';
import { openTwo } from '../registry/uploads/open-machines.ts';
import { settingsFor } from './place.ts';
import { type Rgw, startRgw, whyNoRgw } from './rgw.ts';

describe('Ceph RGW', { skip: whyNoRgw() ?? false }, () => {
  let rgw: Rgw;
  let postgres: PostgresServer;
  before(async () => {
    rgw = await startRgw();
    postgres = await startPostgres();
  });
  after(async () => {
    await rgw?.[Symbol.asyncDispose]();
    await postgres?.stop();
  });

  writeSessionsConformance('SQLite and RGW', async () => {
    const store = await openTestRegistry(settingsFor(rgw, await rgw.createBucket()));
    return { registry: store.as('tester'), as: store.as, close: () => store.close() };
  });

  writeSessionsConformance('PostgreSQL and RGW, two machines in turn', async () =>
    openTwo({ ...settingsFor(rgw, await rgw.createBucket()), ARTIFACTSTORE_DATABASE_URL: await postgres.createDatabase() }, false),
  );
});
