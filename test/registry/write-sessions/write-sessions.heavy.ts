import assert from 'node:assert/strict';
import { after } from 'node:test';
import { writeSessionsConformance } from '../../../src/registry/conformance/write-sessions.ts';
import { openTwo, openTwoMachines, openTwoOnPostgres } from '../uploads/open-machines.ts';
import { openByHandles } from './presigned-bucket.ts';

writeSessionsConformance('SQLite and local disk, two processes in turn', () => openTwo({}, true));
writeSessionsConformance('PostgreSQL and local disk, two processes in turn', openTwoOnPostgres);
writeSessionsConformance('PostgreSQL and a bucket, two machines in turn', openTwoMachines);

const count = { handles: 0 };
writeSessionsConformance('SQLite and a bucket, presigned', () => openByHandles(count));
after(() => assert.ok(count.handles > 20, `${count.handles} objects went by their handles`));
