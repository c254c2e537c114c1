import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { basename, dirname, extname, join } from 'node:path';
import test from 'node:test';
import { errorCodes } from '../src/kernel/error.ts';
import { mayImport } from './layers-table.ts';
import { importsOf, isRelative, targetOf, withoutComments } from './source-imports.ts';

const root = join(import.meta.dirname, '..');
const source = filesIn('src');
const pilot = filesIn('pilot');
const ours = [
  ...source,
  ...pilot,
  ...filesIn('bin'),
  ...filesIn('tools'),
  ...filesIn('test'),
  ...filesIn('bench'),
  ...filesIn('examples'),
  ...filesIn('console').filter((path) => !path.startsWith('console/dist')),
];

const vagueNames = ['utils', 'util', 'common', 'helpers', 'helper', 'manager', 'service', 'base', 'impl', 'types', 'misc'];
const foldersWithDoor = ['backup', 'credentials', 'database', 'dataplane', 'identity', 'provider', 'registry', 'secrets', 'storage'];
/** A folder whose door bears the name of who comes through it. */
const otherDoors: Readonly<Record<string, string>> = { 'src/registry/upkeep': 'OPERATOR' };
const maximumLines = 300;
const pureParts = ['kernel', 'protocol'];
const reached = new Map<string, ReadonlySet<string>>();

/** Files, or folders with their `/`, whose test is elsewhere, and where. */
const testedElsewhere: Readonly<Record<string, string>> = {
  'src/index.ts': 'test/public-api.test.ts holds the list of names',
  'src/compose/check-config.ts': 'test/cli/commands/config.test.ts checks configurations with it',
  'src/compose/open-store.ts': 'test/public-api.test.ts and every test of a whole store use it',
  'src/compose/open-provider.ts': 'test/cli/commands/provider.test.ts runs every command with it',
  'src/compose/store-commands.ts': 'test/cli/commands/store-init.test.ts runs the command with it',
  'src/compose/open-backup.ts': 'test/registry/upkeep/backup.test.ts makes backups with it',
  'src/compose/restore-store.ts': 'test/registry/upkeep/backup.test.ts restores with it',
  'src/compose/open-registry.ts': 'test/readme.test.ts runs it, as a user would',
  'src/kernel/format/float16.ts': 'test/kernel/format/cbor.test.ts encodes and decodes with it',
  'src/main.ts': 'test/package.heavy.ts runs the command line as it is installed',
  'src/version.ts': 'test/package.heavy.ts compares it with package.json',
};

test('a file is named for what it is, in small letters with hyphens, and a door in capitals like its folder', () => {
  for (const path of [...source, ...pilot]) {
    const name = basename(path, extname(path));
    assert.ok(!vagueNames.includes(name) && !vagueNames.includes(basename(dirname(path))), `${path}: the name says nothing`);
    if (/[A-Z]/.test(name))
      assert.equal(name, otherDoors[dirname(path)] ?? basename(dirname(path)).toUpperCase(), `${path}: a door bears its folder's name`);
    else assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/, path);
  }
});

test('every folder with several implementations has its door', () => {
  for (const folder of foldersWithDoor.filter((name) => existsSync(join(root, 'src', name)))) {
    assert.ok(source.includes(`src/${folder}/${folder.toUpperCase()}.ts`), `src/${folder} has no door`);
  }
});

test('no two paths differ in capitals only, which many file systems take for one', () => {
  const seen = new Map<string, string>();
  for (const path of ours) {
    const twin = seen.get(path.toLowerCase());
    assert.equal(twin, undefined, `${path} and ${twin}`);
    seen.set(path.toLowerCase(), path);
  }
});

test('src/ and pilot/ hold TypeScript only: the build carries nothing else', () => {
  assert.deepEqual(
    [...source, ...pilot].filter((path) => !path.endsWith('.ts')),
    [],
  );
});

test('every file that does something is tested, a pure one by itself', () => {
  const untested = source.filter((path) => doesSomething(path) && !isTested(path));
  assert.deepEqual(untested, []);
});

test('every reason for a test elsewhere is about a file that is there and has no test of its own', () => {
  for (const path of Object.keys(testedElsewhere)) {
    assert.ok(
      source.some((each) => each === path || (path.endsWith('/') && each.startsWith(path))),
      `${path} is not there`,
    );
    assert.ok(path.endsWith('/') || !existsSync(join(root, mirror(path))), `${path} has a test of its own by now`);
  }
});

test(`no file of src/, pilot/, bin/, tools/ or test/ is longer than ${maximumLines} lines`, () => {
  const pins = 'tools/fuzz/requirements.txt';
  // One script, so that it can be run alone by who does not trust this software.
  const checker = 'test/format/checker.py';
  // Every text of the console in one place, to be translated.
  const texts = 'console/strings.ts';
  const long = ours.filter(
    (path) =>
      path !== pins &&
      path !== checker &&
      path !== texts &&
      /^(src|pilot|bin|tools|test|console)\//.test(path) &&
      read(path).split('\n').length - 1 > maximumLines,
  );
  assert.deepEqual(long, []);
});

test('nothing in src/ or pilot/ silences the compiler or the linter', () => {
  const silencers = /@ts-(ignore|expect-error|nocheck)|biome-ignore|eslint-disable|\bas any\b|[:<|&]\s*any\b(?!\s*(of|thing)\b)|\bany\[\]/;
  const found = [...source, ...pilot].flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, index) =>
        /^\s*(\*|\/\/|\/\*)(?!.*(@ts-|biome-|eslint-))/.test(line) || !silencers.test(line) ? [] : [`${path}:${index + 1}: ${line.trim()}`],
      ),
  );
  assert.deepEqual(found, []);
});

test('what JSON and CBOR hold is looked at, never asserted', () => {
  const cast = /\b(?:JSON\.parse|decodeCbor|parseJson)\(.*\)+ as |\bas unknown as Manifest\b(?!\[)/;
  const found = [...source, ...pilot].flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, index) => (cast.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
  assert.deepEqual(found, []);
});

test('every code of an error is used, and not only in the tables that each door has of them', () => {
  const tables = ['src/kernel/error.ts', 'src/doors/rest/problem.ts', 'src/cli/exit.ts', 'src/cli/terminal/hint.ts'];
  const code = source
    .filter((path) => !tables.includes(path) && !path.includes('/conformance/'))
    .map((path) => withoutComments(read(path)));
  assert.deepEqual(
    errorCodes.filter((each) => !code.some((text) => text.includes(`'${each}'`))),
    [],
  );
});

test('nothing is left for later in a comment', () => {
  const marks = new RegExp(['TODO', 'FIXME', 'XXX', 'HACK'].map((mark) => `\\b${mark}\\b`).join('|'));
  assert.deepEqual(
    ours.filter((path) => path !== 'test/house.test.ts' && marks.test(read(path))),
    [],
  );
});

test('the tree in README.md names what is there, and every folder of src/', () => {
  const named = namedInTree(read('README.md'));
  assert.ok(named.length > 0, 'README.md shows no tree');
  for (const path of named) assert.ok(existsSync(join(root, path)), `README.md names ${path}, which is not there`);
  const folders = new Set(source.filter((path) => path.split('/').length > 2).map((path) => `src/${path.split('/')[1]}/`));
  for (const folder of folders)
    assert.ok(named.includes(folder) || named.includes(folder.replace(/\/$/, '.ts')), `README.md does not name ${folder}`);
});

test('the table of layers in ARCHITECTURE.md has a row for each part, and for nothing else', () => {
  const table = read('ARCHITECTURE.md').split('\n## ')[1] ?? '';
  const rows = [...table.matchAll(/^\| `([\w.-]+)` \|/gm)].map(([, part = '']) => part);
  assert.deepEqual(rows.sort(), Object.keys(mayImport).sort());
});

test('a file has a test at the same place, or for its folder; types need none', () => {
  assert.equal(mirror('src/kernel/format/cbor.ts'), 'test/kernel/format/cbor.test.ts');
  assert.deepEqual(
    namedInTree('```sh\nls src/y/\n```\n\n```\nsrc/a.ts    main; src/b.ts too\nsrc/c/     c\n  d/       d\n```\n```sh\nls src/x/\n```'),
    ['src/a.ts', 'src/c/'],
  );
  assert.equal(doesSomething('src/storage/STORAGE.ts'), false);
  assert.equal(doesSomething('src/runtime/module-url.ts'), true);
});

test('the lock says of every package of a registry what its bytes are', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    readonly packages: Readonly<Record<string, { readonly link?: boolean; readonly integrity?: string }>>;
  };
  const unchecked = Object.entries(packages).filter(([path, { link, integrity }]) => {
    return path.includes('node_modules/') && link !== true && integrity === undefined;
  });
  assert.deepEqual(
    unchecked.map(([path]) => path),
    [],
  );
});

/**
 * A file of a pure part has a test at the same place, or is a part of one that has, by its name (`cbor-encoder` of
 * `cbor`). Elsewhere it is enough that a test of its own part reaches it, through imports: what a server or a dialect
 * is made of is tested whole.
 */
function isTested(path: string): boolean {
  const elsewhere = Object.keys(testedElsewhere).some((each) => path === each || (each.endsWith('/') && path.startsWith(each)));
  // The suite of a door is run by the test of each implementation.
  if (elsewhere || basename(path).startsWith('conformance') || existsSync(join(root, mirror(path)))) return true;
  const part = path.split('/')[1] ?? '';
  if (!pureParts.includes(part)) return reachedByTestsOf(part).has(path);
  const words = basename(path, '.ts').split('-');
  return words.some(
    (_, index) => index > 0 && existsSync(join(root, mirror(join(dirname(path), `${words.slice(0, index).join('-')}.ts`)))),
  );
}

/** The files of src/ that the tests of a part import, and those that these import, and so on. */
function reachedByTestsOf(part: string): ReadonlySet<string> {
  const known = reached.get(part);
  if (known !== undefined) return known;
  const found = new Set(ours.filter((path) => path.startsWith(`test/${part}/`) || path === `test/${part}.test.ts`));
  reached.set(part, found);
  for (const path of found) {
    const next = importsOf(withoutComments(read(path))).filter((each) => isRelative(each) && !each.typeOnly);
    for (const target of next.map((each) => targetOf(path, each)))
      if (/^(src|test)\/.*\.ts$/.test(target) && existsSync(join(root, target))) found.add(target);
  }
  return found;
}

function mirror(path: string): string {
  return path.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts');
}

/** Whether anything is left of a file without its types, comments and re-exports. */
function doesSomething(path: string): boolean {
  const code = stripTypeScriptTypes(read(path)).replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, '');
  return (
    code
      .replace(/^\s*(import|export)\b[^;=(]*\bfrom\s*['"][^'"]+['"][^;]*;/gm, '')
      .replace(/export\s*\{\s*\};?/g, '')
      .trim() !== ''
  );
}

/** The paths that begin a line in the first plain code block that has `src/`. */
function namedInTree(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^```(?<language>\w*)\n(?<text>[\s\S]*?)^```$/gm)].map(({ groups = {} }) => groups);
  const tree = blocks.find(({ language, text }) => language === '' && text?.includes('src/'))?.text ?? '';
  return tree.split('\n').flatMap((line) => /^[\w.-]+(?:\/[\w.-]*)*(?=\s|$)/.exec(line) ?? []);
}

function filesIn(folder: string): string[] {
  return globSync(`${folder}/**/*`, { cwd: root, withFileTypes: true, exclude: (entry) => entry.name === 'node_modules' })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll('\\', '/'),
    )
    .sort();
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
