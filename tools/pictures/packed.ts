import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const cache = join(import.meta.dirname, '..', '..', 'node_modules', '.cache');

/** One file of a package of the npm registry, and the digest that it must have. */
export interface PackedFile {
  readonly name: string;
  readonly version: string;
  readonly path: string;
  readonly sha256: string;
}

/** Where that file is, fetched if need be, without what its package depends on. */
export function packed({ name, version, path, sha256 }: PackedFile): string {
  const folder = join(cache, `${name.replace(/\W+/g, '-').replace(/^-/, '')}-${version}`);
  const file = join(folder, 'package', path);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    const spec = `${name}@${version}`;
    const archive = execFileSync('npm', ['pack', spec, '--silent', '--pack-destination', folder], { encoding: 'utf8' });
    execFileSync('tar', ['-xzf', join(folder, archive.trim()), '-C', folder, `package/${path}`]);
  }
  const found = createHash('sha256').update(readFileSync(file)).digest('hex');
  if (found !== sha256) throw new Error(`${file} has the SHA-256 ${found}, not ${sha256}.`);
  return file;
}
