import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../src/config/config.ts';
import { parseEnvFile } from '../src/protocol/env-file.ts';
import { folder } from './config/read-in-folder.ts';

const example = readFileSync(join(import.meta.dirname, '../.env.example'), 'utf8');

test('.env.example sets nothing as it is, and has every setting with its default behind a "#"', () => {
  assert.deepEqual([...parseEnvFile(example).values], []);
  const { values, problems } = parseEnvFile(example.replaceAll(/^#(?=ARTIFACTSTORE_)/gm, ''));
  assert.deepEqual(problems, []);
  const defaults = readConfig({}, { directory: folder({}) }).describe();
  assert.deepEqual(Object.fromEntries([...values].sort()), Object.fromEntries(Object.entries(defaults).sort()));
});

test('with all of its lines the configuration is what it is without', () => {
  const { values } = parseEnvFile(example.replaceAll(/^#(?=ARTIFACTSTORE_)/gm, ''));
  const directory = folder({});
  assert.deepEqual(readConfig(Object.fromEntries(values), { directory }).describe(), readConfig({}, { directory }).describe());
});
