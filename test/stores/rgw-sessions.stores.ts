import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { writeSessionsConformance } from '../../src/registry/conformance/write-sessions.ts';
import { type PostgresServer, startPostgres } from '../postgres-server.ts';
import { openTestRegistry } from '../registry/open-registry.ts';
import { openTwo } from '../registry/uploads/open-machines.ts';
import { byHandles, withCertificate } from '../registry/write-sessions/presigned-bucket.ts';
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

  // No tested gateway is certified for it: the certificate is the test's own, and only says that it is.
  const count = { handles: 0 };
  writeSessionsConformance('SQLite and RGW, presigned', async () => {
    const { environment, remove } = await withCertificate(settingsFor(rgw, await rgw.createBucket()));
    const store = await openTestRegistry(environment);
    return {
      registry: byHandles(store.as('tester'), count),
      as: (principal) => byHandles(store.as(principal), count),
      async close() {
        await store.close();
        await remove();
      },
    };
  });
  after(() => assert.ok(count.handles > 20, `${count.handles} objects went by their handles`));

  writeSessionsConformance('PostgreSQL and RGW, two machines in turn', async () =>
    openTwo({ ...settingsFor(rgw, await rgw.createBucket()), ARTIFACTSTORE_DATABASE_URL: await postgres.createDatabase() }, false),
  );
});
