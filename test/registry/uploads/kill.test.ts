import { test } from 'node:test';
import { killAppenders } from './killed-uploads.ts';

test('a process that is killed while it appends loses nothing that it acknowledged', () => killAppenders([0, 15, 70]));
