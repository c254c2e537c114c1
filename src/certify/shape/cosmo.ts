import type { Check } from './check.ts';
import { cosmoDeletes } from './cosmo-deletes.ts';
import { cosmoReads } from './cosmo-reads.ts';
import { cosmoWrites } from './cosmo-writes.ts';

/** What WunderGraph Cosmo needs of its bucket: controlplane, cdn, and a router that reads it itself. */
export const cosmo: readonly Check[] = [...cosmoWrites, ...cosmoReads, ...cosmoDeletes];
