import { test } from 'node:test';
import { killReplays } from '../replay-cases.ts';
import { withDatabase } from './replay-place.ts';

test('a replay on SQLite leaves the old views or the new ones when it is killed', () => withDatabase(killReplays));
