import { migrationCases } from './migrate-cases.ts';
import { openTwoBackends } from './two-backends.ts';

migrationCases('SQLite', () => openTwoBackends());
