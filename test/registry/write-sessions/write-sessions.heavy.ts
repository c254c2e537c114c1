import { writeSessionsConformance } from '../../../src/registry/conformance/write-sessions.ts';
import { openTwo, openTwoMachines, openTwoOnPostgres } from '../uploads/open-machines.ts';

writeSessionsConformance('SQLite and local disk, two processes in turn', () => openTwo({}, true));
writeSessionsConformance('PostgreSQL and local disk, two processes in turn', openTwoOnPostgres);
writeSessionsConformance('PostgreSQL and a bucket, two machines in turn', openTwoMachines);
