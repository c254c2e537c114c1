import { openTwoBackends } from '../two-backends.ts';
import { migrationCases } from './move-cases.ts';

migrationCases('SQLite', () => openTwoBackends());
