import { writeSync } from 'node:fs';
import { openStore } from '../../../src/compose/open-store.ts';
import { readConfig } from '../../../src/config/config.ts';

// Commits a write session, and prints the package that it became.

const [directory, id] = process.argv.slice(2) as [string, string];
await using store = await openStore(readConfig({}, { directory }));
writeSync(1, 'open\n');
const { package_id } = await store.as('tester').writeSessions.commit(id);
writeSync(1, `${package_id}\n`);
