import { sealingCases } from './prepare-sealing-cases.ts';
import { openTwoBackends } from './two-backends.ts';

sealingCases('SQLite', () => openTwoBackends());
