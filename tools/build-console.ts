import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { type BuildOptions, type BuildResult, build } from 'esbuild';

// The web console as files that a server gives out: bundled, with the digest of its bytes in each name, and compressed.

const root = join(import.meta.dirname, '..');
const source = join(root, 'console');
/** What of others is in the bundles. Their licences ask to be named with them. */
const carried = ['preact', '@preact/signals', '@preact/signals-core', 'hash-wasm'];

const shared: BuildOptions = {
  absWorkingDir: source,
  bundle: true,
  format: 'esm',
  minify: true,
  target: ['chrome111', 'firefox115', 'safari16.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  charset: 'utf8',
  outdir: join(source, 'dist', 'assets'),
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  loader: { '.svg': 'file' },
  metafile: true,
  write: false,
};

/** By their path below `/console/`. */
export type BuiltConsole = ReadonlyMap<string, Uint8Array>;

export async function buildConsole(): Promise<BuiltConsole> {
  const workers = await build({ ...shared, entryPoints: ['workers/hash.ts', 'workers/log.ts', 'workers/verify.ts'] });
  const worker = (name: string): string => {
    const { path } = workers.outputFiles!.find((file) => basename(file.path).startsWith(`${name}-`))!;
    return JSON.stringify(`assets/${basename(path)}`);
  };
  const define = { HASH_WORKER: worker('hash'), LOG_WORKER: worker('log'), VERIFY_WORKER: worker('verify') };
  const main = await build({ ...shared, entryPoints: ['main.tsx'], splitting: true, define });
  const icon = await build({ ...shared, entryPoints: ['icon.svg'], loader: { '.svg': 'copy' } });
  const files = new Map<string, Uint8Array>();
  for (const { path, contents } of [...main.outputFiles!, ...workers.outputFiles!, ...icon.outputFiles!])
    files.set(`assets/${basename(path)}`, contents);
  files.set('licenses.txt', Buffer.from(carried.map(licenseOf).join('\n\n')));
  const named = (pattern: RegExp): string => [...files.keys()].find((name) => pattern.test(name))!;
  const page = readFileSync(join(source, 'index.html'), 'utf8')
    .replace(
      / *<script /,
      (script) =>
        `${importedBy(main, named(/main-\w+\.js$/))
          .map(preload)
          .join('')}${script}`,
    )
    .replace('main.tsx', named(/main-\w+\.js$/))
    .replace('main.css', named(/main-\w+\.css$/))
    .replace('icon.svg', named(/icon-\w+\.svg$/));
  files.set('index.html', Buffer.from(page));
  return files;
}

/** What a file imports at its top, by name. */
function importedBy({ metafile }: BuildResult, name: string): readonly string[] {
  const [, { imports }] = Object.entries(metafile!.outputs).find(([path]) => path.endsWith(name))!;
  return imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => `assets/${basename(path)}`);
}

/** The browser asks for it with the file that names it, and not after that. */
function preload(name: string): string {
  return `    <link rel="modulepreload" href="${name}" />\n`;
}

/** The compressed forms are made once here, as small as they get, and not with each answer. */
export function compressed(files: BuiltConsole): BuiltConsole {
  return new Map(
    [...files]
      .filter(([name]) => name.startsWith('assets/'))
      .flatMap(([name, bytes]) => [
        [`${name}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } })],
        [`${name}.gz`, gzipSync(bytes, { level: 9 })],
      ]),
  );
}

function licenseOf(name: string): string {
  return `${name}\n\n${readFileSync(join(root, 'node_modules', name, 'LICENSE'), 'utf8').trim()}`;
}

/** Writes them and their compressed forms below a directory. */
export function writeConsole(files: BuiltConsole, directory: string): void {
  for (const [name, bytes] of [...files, ...compressed(files)]) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), bytes);
  }
}

if (import.meta.main) {
  const target = join(source, 'dist');
  const next = `${target}.new`;
  rmSync(next, { recursive: true, force: true });
  writeConsole(await buildConsole(), next);
  rmSync(target, { recursive: true, force: true });
  renameSync(next, target);
}
