import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

const cache = join(import.meta.dirname, '..', '..', 'node_modules', '.cache');

/** One file of a package of the npm registry, at one version, without installing what the package depends on. */
export function packed(name: string, version: string, path: string): string {
  const folder = join(cache, `${name.replace(/\W+/g, '-').replace(/^-/, '')}-${version}`);
  const file = join(folder, 'package', path);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    const archive = execFileSync('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', folder], { encoding: 'utf8' });
    execFileSync('tar', ['-xzf', join(folder, archive.trim()), '-C', folder, `package/${path}`]);
  }
  return file;
}
