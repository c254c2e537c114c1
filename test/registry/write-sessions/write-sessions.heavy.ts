import { writeSessionsConformance } from '../../../src/registry/conformance/write-sessions.ts';
import { startPostgres } from '../../postgres-server.ts';
import { openBucket, openTwo } from '../uploads/open-machines.ts';

writeSessionsConformance('SQLite and local disk, two processes in turn', () => openTwo({}, true));

writeSessionsConformance('PostgreSQL and local disk, two processes in turn', async () => {
  const server = await startPostgres();
  const opened = await openTwo({ ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() }, true);
  return {
    ...opened,
    async close() {
      await opened.close();
      await server.stop();
    },
  };
});

writeSessionsConformance('PostgreSQL and a bucket, two machines in turn', async () => {
  const [server, { store: bucket, environment }] = await Promise.all([startPostgres(), openBucket()]);
  const opened = await openTwo({ ...environment, ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() }, false);
  return {
    ...opened,
    async close() {
      await opened.close();
      await bucket.close();
      await server.stop();
    },
  };
});
