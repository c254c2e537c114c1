import { openTwoBackends } from '../two-backends.ts';
import { moveCases } from './move-cases.ts';

moveCases('SQLite', () => openTwoBackends());
