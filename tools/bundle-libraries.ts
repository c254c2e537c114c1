import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

// Libraries of hundreds of modules, as one file each, since each process or thread that needs one loads all of it. Of
// processor time that takes 10 ms instead of 130 for Kysely (300 modules), and for TypeBox (680) 20 instead of 130.
const root = join(import.meta.dirname, '..');
const libraries = [
  { name: 'kysely', license: 'LICENSE', contents: "export * from 'kysely';" },
  {
    name: 'typebox',
    license: 'license',
    contents: "export { Type } from 'typebox'; export { Compile } from 'typebox/compile';",
  },
];

mkdirSync(join(root, 'vendor'), { recursive: true });
for (const { name, license, contents } of libraries) {
  const { outputFiles } = buildSync({
    stdin: { contents, resolveDir: root },
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  });
  const terms = readFileSync(join(root, 'node_modules', name, license), 'utf8').trim();
  const target = join(root, 'vendor', `${name}.js`);
  // One letter beyond Latin-1, in a comment of Kysely, has the engine keep all of the text at two bytes a letter, in
  // each thread. In code esbuild has escaped them.
  const text = outputFiles[0]!.text.replaceAll('\u2014', '-');
  if (/[\u0100-\uffff]/.test(terms + text)) throw new Error(`${name} has letters beyond Latin-1`);
  // Renamed, not written in place: another process may be loading it.
  writeFileSync(`${target}.new`, `/*\n${terms}\n*/\n${text}`);
  renameSync(`${target}.new`, target);
}
