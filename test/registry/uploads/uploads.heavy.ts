import { uploadsConformance } from '../../../src/registry/conformance/uploads.ts';
import { openTwoMachines, openTwoOnPostgres } from './open-machines.ts';

uploadsConformance('PostgreSQL and local disk, two processes in turn', openTwoOnPostgres);
uploadsConformance('PostgreSQL and a bucket, two machines in turn', openTwoMachines);
