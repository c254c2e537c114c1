import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type Config, readConfig } from '../../src/config/config.ts';
import { ArtifactstoreError } from '../../src/kernel/error.ts';

/** A directory of this run of tests, without a `.env`. */
export const directory: string = mkdtempSync(join(tmpdir(), 'artifactstore-config-'));
after(() => rmSync(directory, { recursive: true, force: true }));

export type Environment = Readonly<Record<string, string>>;

export function read(environment: Environment = {}, from: string = directory): Config {
  return readConfig(environment, { directory: from });
}

/** The refusal of a configuration that is wrong. */
export function problems(environment: Environment, from?: string): ArtifactstoreError {
  try {
    read(environment, from);
  } catch (error) {
    assert.ok(error instanceof ArtifactstoreError);
    assert.equal(error.code, 'invalid_configuration');
    return error;
  }
  throw new assert.AssertionError({ message: 'the configuration was taken' });
}

/** A new directory with these files, by name. */
export function folder(files: Environment): string {
  const made = mkdtempSync(join(directory, 'folder-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(made, name), text);
  return made;
}
