import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ArtifactstoreError } from '../kernel/error.ts';

/** The token of an earlier run, or a new one, readable by its owner alone. */
export function keptToken(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  try {
    const token = `dev-${randomBytes(24).toString('base64url')}`;
    writeFileSync(path, `${token}\n`, { mode: 0o600, flag: 'wx' });
    return token;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  chmodSync(path, 0o600);
  const token = readFileSync(path, 'utf8').trim();
  if (token === '')
    throw new ArtifactstoreError('invalid_configuration', `The token file ${path} is empty; delete it, and a new one is made.`);
  return token;
}
