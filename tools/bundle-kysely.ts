import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

// Kysely is some 300 modules, and every thread that speaks SQL loads them all: 130 ms of processor time each, 10 ms as
// one file.
const root = join(import.meta.dirname, '..');
const source = join(root, 'node_modules', 'kysely');
const { outputFiles } = buildSync({
  entryPoints: [join(source, 'dist', 'index.js')],
  bundle: true,
  format: 'esm',
  platform: 'node',
  write: false,
});
const license = readFileSync(join(source, 'LICENSE'), 'utf8').trim();
const target = join(root, 'vendor', 'kysely.js');
mkdirSync(join(root, 'vendor'), { recursive: true });
// Renamed, not written in place: another process may be loading it.
writeFileSync(`${target}.new`, `/*\n${license}\n*/\n${outputFiles[0]!.text}`);
renameSync(`${target}.new`, target);
