import { test } from 'node:test';
import { killAppenders, killBringers } from './killed-uploads.ts';

test('a process that is killed while it appends loses nothing that it acknowledged', () => killAppenders([0, 15, 70]));

test('a process that is killed while it brings short files whole loses none that it answered', () => killBringers([0, 40]));
