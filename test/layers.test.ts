import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { mayImport, pure } from './layers-table.ts';
import { type Import, importsOf, isRelative, targetOf, withoutComments } from './source-imports.ts';

const root = join(import.meta.dirname, '..');

const impureModules =
  /^node:(child_process|cluster|dgram|dns|fs|http|http2|https|net|os|perf_hooks|process|readline|sqlite|timers|tls|worker_threads)(\/|$)/;
const impureCode: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['the clock', /\bDate\.now\b|\bnew Date\b(?!\s*\(\s*[^)\s])|\bperformance\.now\b|\bhrtime\b/],
  ['randomness', /\bMath\.random\b|\brandom(Bytes|UUID|UUIDv7|Int|FillSync|Fill)\b|\bgetRandomValues\b/],
  ['a timer', /\bset(Timeout|Interval|Immediate)\s*\(/],
  ['the network', /\bfetch\s*\(/],
  ['the process', /\bprocess\./],
];
const readsEnvironment = /^(config\/config\.ts|main\.ts|credentials\/.*)$/;
/**
 * The words of the registry hold for every door. `kernel/error.ts` has the codes of all, and the registry's own suite
 * runs over the wire too.
 */
const wireNeutral = /^(registry\/(?!conformance\/)|kernel\/(?!error\.ts$))/;
const wireCodes = 'malformed_multipart|malformed_archive|invalid_header|unknown_parameter|route_not_found|method_not_allowed';
const wireWords = new RegExp(
  `['"\`][^'"\`\\n]*?(?<![\\w.-])(HTTP|[Mm]ultipart|[Rr]equests?|[Hh]eaders?|${wireCodes})(?![\\w.-])[^'"\`\\n]*['"\`]`,
);
const storageNeutral = /^(registry|doors|kernel)\//;

test('every import in src/ follows the layers', () => {
  const files = new Map(
    globSync('src/**/*.ts', { cwd: root }).map((path) => [
      path.replaceAll('\\', '/').slice('src/'.length),
      readFileSync(join(root, path), 'utf8'),
    ]),
  );
  const { dependencies, imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // What is bundled is imported by the bundle's name only: twice in a thread would be slower than not bundled.
  const named = Object.keys(dependencies).filter((name) => !(`#${name}` in imports));
  assert.deepEqual(violations(files, [...named, ...Object.keys(imports)]), []);
  assert.deepEqual(unused(mayImport, files), []);
});

test('pilots see the public package only, and the core knows nothing of them', () => {
  const pilot = new Map(
    globSync('pilot/**/*.ts', { cwd: root }).map((path) => [path.replaceAll('\\', '/'), readFileSync(join(root, path), 'utf8')]),
  );
  assert.ok(pilot.size > 0);
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.deepEqual(pilotViolations(pilot, Object.keys(dependencies)), []);
  for (const [path, source, expected] of plantedInPilot)
    assert.deepEqual(pilotViolations(new Map([...innocentPilot, [path, source]]), ['commander']), expected, `${path}: ${source}`);
  assert.deepEqual(pilotViolations(innocentPilot, ['commander']), []);
  const knowing = globSync('src/**/*.ts', { cwd: root }).filter((path) =>
    /guide.?board|state.?hub|junit|cyclonedx/i.test(readFileSync(join(root, path), 'utf8')),
  );
  // Only their settings: an environment is read in one place.
  assert.deepEqual(knowing, ['src/config/config.ts']);
});

test('a planted violation of each rule is found, and nothing else', () => {
  for (const [path, source, expected] of planted) {
    const files = new Map([...innocent, [path, `${innocent.get(path) ?? ''}\n${source}`]]);
    assert.deepEqual(violations(files, ['kysely']), [expected], `${path}: ${source}`);
  }
  assert.deepEqual(violations(innocent, ['kysely']), []);
});

test('a row of the table that no import uses is found', () => {
  const table = { kernel: [], runtime: [], storage: ['protocol/', 'runtime/'], provider: [], serve: ['http/', 'http/log.ts', 'cli/'] };
  assert.deepEqual(unused(table, innocent), [
    'storage: may import protocol/, and does not',
    'storage: may import runtime/, and does not',
    'provider: is not there',
    'serve: may import http/log.ts by http/ already',
    'serve: may import cli/, and does not',
  ]);
});

test('every form of import is seen', () => {
  const source = [
    "import './a.ts';",
    "import b from './b.ts';",
    "import type { C } from './c.ts';",
    "import {\n  type D,\n  d,\n} from './d.ts';",
    "export * from './e.ts';",
    "export type * from './f.ts';",
    "const g = await import('./g.ts');",
    "type H = import('./h.ts').H;",
    "const i = moduleUrl('./i.ts', import.meta.url);",
    "// import './comment.ts';",
    "/* import './comment.ts'; */",
    "const text = 'https://example.org'; import j from './j.ts' with { type: 'json' };",
    "export const from = 'not an import';",
  ].join('\n');
  assert.deepEqual(
    importsOf(withoutComments(source)).map(({ specifier, typeOnly }) => `${specifier}${typeOnly ? ' type' : ''}`),
    ['./a.ts', './b.ts', './c.ts type', './d.ts', './e.ts', './f.ts type', './g.ts', './h.ts', './i.ts', './j.ts'],
  );
});

/** One sentence for each violation, file by file. `files` are sources by their path in src/. */
function violations(files: ReadonlyMap<string, string>, dependencies: readonly string[]): string[] {
  const found: string[] = [];
  const graph = new Map<string, readonly string[]>();
  for (const [path, source] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const code = withoutComments(source);
    const imports = importsOf(code);
    graph.set(
      path,
      imports.filter(isRelative).map((each) => targetOf(path, each)),
    );
    found.push(...imports.flatMap((each) => importViolations(path, each, files, dependencies)));
    found.push(...codeViolations(path, code, source));
  }
  return [...found, ...cycles(graph).map((cycle) => `${cycle[0]}: imports itself, through ${cycle.slice(1).join(', ')}`)];
}

/** One sentence for each part and place in the table that says nothing of what is there. */
function unused(table: Readonly<Record<string, readonly string[]>>, files: ReadonlyMap<string, string>): string[] {
  return Object.entries(table).flatMap(([part, places]) => {
    const own = [...files].filter(([path]) => partOf(path) === part);
    if (own.length === 0) return [`${part}: is not there`];
    const targets = own.flatMap(([path, source]) =>
      importsOf(withoutComments(source))
        .filter(isRelative)
        .map((each) => targetOf(path, each)),
    );
    return places.flatMap((place) => {
      const wider = places.find((other) => other !== place && other.endsWith('/') && place.startsWith(other));
      if (wider !== undefined) return [`${part}: may import ${place} by ${wider} already`];
      const used = targets.some((target) => target === place || (place.endsWith('/') && target.startsWith(place)));
      return used ? [] : [`${part}: may import ${place}, and does not`];
    });
  });
}

/** The same of pilot/. `files` are sources by their path from the root. */
function pilotViolations(files: ReadonlyMap<string, string>, dependencies: readonly string[]): string[] {
  return [...files].flatMap(([path, source]) => {
    const code = withoutComments(source);
    const found = importsOf(code).flatMap((each) => {
      if (isRelative(each)) {
        const target = targetOf(path, each);
        if (!target.startsWith('pilot/')) return [`${path}: may not import ${target}`];
        return files.has(target) ? [] : [`${path}: imports ${target}, which is not there`];
      }
      if (each.specifier.startsWith('node:')) return [];
      const name = each.specifier.split('/', each.specifier.startsWith('@') ? 2 : 1).join('/');
      if (name === 'artifactstore') return each.typeOnly ? [] : [`${path}: may import only types from artifactstore`];
      return dependencies.includes(name) ? [] : [`${path}: imports ${name}, which is not among the dependencies`];
    });
    if (/['"`][^'"`\n]*\bsrc\//.test(code)) found.push(`${path}: names a path of src/`);
    if (/\bprocess\.env\b/.test(code)) found.push(`${path}: may not read the environment`);
    return found;
  });
}

const innocentPilot: ReadonlyMap<string, string> = new Map([
  ['pilot/tools.ts', "import type { Registry } from 'artifactstore';\nimport { join } from 'node:path';"],
  ['pilot/one/ingest.ts', "import { Command } from 'commander';\nimport type { Tools } from '../tools.ts';"],
]);

const plantedInPilot: readonly (readonly [path: string, source: string, expected: readonly string[]])[] = [
  [
    'pilot/one/ingest.ts',
    "import { x } from '../../src/index.ts';",
    ['pilot/one/ingest.ts: may not import src/index.ts', 'pilot/one/ingest.ts: names a path of src/'],
  ],
  ['pilot/one/ingest.ts', "import type { X } from '../../test/x.ts';", ['pilot/one/ingest.ts: may not import test/x.ts']],
  ['pilot/one/ingest.ts', "import { parseJson } from 'artifactstore';", ['pilot/one/ingest.ts: may import only types from artifactstore']],
  ['pilot/one/ingest.ts', "import { X } from 'artifactstore/storage';", ['pilot/one/ingest.ts: may import only types from artifactstore']],
  ['pilot/one/ingest.ts', "import fc from 'fast-check';", ['pilot/one/ingest.ts: imports fast-check, which is not among the dependencies']],
  ['pilot/one/ingest.ts', "import '../missing.ts';", ['pilot/one/ingest.ts: imports pilot/missing.ts, which is not there']],
  ['pilot/one/ingest.ts', 'const place = "../../src/index.ts";', ['pilot/one/ingest.ts: names a path of src/']],
  ['pilot/one/ingest.ts', 'const home = process.env.HOME;', ['pilot/one/ingest.ts: may not read the environment']],
];

function importViolations(path: string, each: Import, files: ReadonlyMap<string, string>, dependencies: readonly string[]): string[] {
  const part = partOf(path);
  if (!isRelative(each)) {
    if (pure.includes(part) && impureModules.test(each.specifier)) return [`${path}: is pure, but imports ${each.specifier}`];
    if (each.specifier.startsWith('node:')) return [];
    const name = each.specifier.split('/', each.specifier.startsWith('@') ? 2 : 1).join('/');
    return dependencies.includes(name) ? [] : [`${path}: imports ${name}, which is not among the dependencies`];
  }
  const target = targetOf(path, each);
  if (!files.has(target) && target !== '../package.json') return [`${path}: imports ${target}, which is not there`];
  if (target.endsWith('/conformance.ts')) return [`${path}: imports ${target}, which is for tests`];
  if (part === 'protocol' && target.startsWith('kernel/') && !each.typeOnly) return [`${path}: may import only types from the kernel`];
  const allowed = mayImport[part];
  if (allowed === undefined) return [`${path}: the part ${part} has no row in the table of this test`];
  const everywhere = pure.includes(part) ? ['kernel/'] : ['kernel/', 'runtime/'];
  const legal = [`${part}/`, ...everywhere, ...allowed].some(
    (place) => target === place || (place.endsWith('/') && target.startsWith(place)),
  );
  return legal ? [] : [`${path}: may not import ${target}`];
}

function codeViolations(path: string, code: string, source: string): string[] {
  const found: string[] = [];
  if (pure.includes(partOf(path))) {
    found.push(...impureCode.filter(([, pattern]) => pattern.test(code)).map(([what]) => `${path}: is pure, but uses ${what}`));
  }
  if (!pure.includes(partOf(path)) && /\bprocess\.env\b/.test(code) && !readsEnvironment.test(path)) {
    found.push(`${path}: may not read the environment`);
  }
  if (storageNeutral.test(path) && /\bs3\b/i.test(source)) found.push(`${path}: may not know S3`);
  const word = wireNeutral.test(path) ? wireWords.exec(code)?.[1] : undefined;
  if (word !== undefined) found.push(`${path}: speaks of a door's "${word}"`);
  if (/\bnew URL\(\s*['"][^'"]+\.[jt]s['"]/.test(code)) found.push(`${path}: loads a module by URL without moduleUrl()`);
  return found;
}

/**
 * Each cycle once, beginning with its first file by name. Types count too: two files that need each other are one idea.
 */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found = new Map<string, string[]>();
  const done = new Set<string>();
  const visit = (path: string, above: readonly string[]): void => {
    const start = above.indexOf(path);
    if (start >= 0) {
      const cycle = above.slice(start);
      const first = cycle.indexOf([...cycle].sort()[0] ?? path);
      const turned = [...cycle.slice(first), ...cycle.slice(0, first)];
      found.set(turned.join(), turned);
    } else if (!done.has(path)) {
      for (const next of graph.get(path) ?? []) visit(next, [...above, path]);
      done.add(path);
    }
  };
  for (const path of graph.keys()) visit(path, []);
  return [...found.values()];
}

function partOf(path: string): string {
  return path.split('/', 1)[0] ?? path;
}

const innocent: ReadonlyMap<string, string> = new Map([
  ['kernel/digest.ts', "import { createHash } from 'node:crypto';\nexport const at = new Date(0); // never Date.now()"],
  ['runtime/stop.ts', "import type { Code } from '../kernel/error.ts';"],
  ['kernel/error.ts', ''],
  ['storage/STORAGE.ts', "import type { Digest } from '../kernel/digest.ts';"],
  ['storage/local.ts', "import { open } from 'node:fs/promises';\nimport type { Storage } from './STORAGE.ts';"],
  ['storage/conformance.ts', "import test from 'node:test';"],
  ['certify/probe.ts', ''],
  ['protocol/range.ts', ''],
  ['database/DATABASE.ts', "import type { Kysely } from 'kysely';"],
  ['dataplane/DATAPLANE.ts', "import type { Storage } from '../storage/STORAGE.ts';"],
  ['registry/REGISTRY.ts', ''],
  ['registry/local.ts', "import type { Dataplane } from '../dataplane/DATAPLANE.ts';"],
  ['http/log.ts', ''],
  ['doors/rest.ts', "import type { Registry } from '../registry/REGISTRY.ts';"],
  ['serve/run.ts', "import { log } from '../http/log.ts';"],
  ['cli/serve.ts', "import { runServer } from '../serve/run.ts';"],
  ['config/config.ts', 'export const environment = process.env;'],
]);

const planted: readonly (readonly [path: string, source: string, expected: string])[] = [
  ['kernel/digest.ts', "import '../database/DATABASE.ts';", 'kernel/digest.ts: may not import database/DATABASE.ts'],
  ['kernel/digest.ts', "import '../runtime/stop.ts';", 'kernel/digest.ts: may not import runtime/stop.ts'],
  ['runtime/stop.ts', "import '../storage/STORAGE.ts';", 'runtime/stop.ts: may not import storage/STORAGE.ts'],
  ['kernel/digest.ts', "import { open } from 'node:fs/promises';", 'kernel/digest.ts: is pure, but imports node:fs/promises'],
  ['kernel/digest.ts', 'const now = Date.now();', 'kernel/digest.ts: is pure, but uses the clock'],
  ['kernel/digest.ts', 'const now = new Date();', 'kernel/digest.ts: is pure, but uses the clock'],
  ['kernel/digest.ts', 'const id = Math.random();', 'kernel/digest.ts: is pure, but uses randomness'],
  ['protocol/range.ts', 'const home = process.env.HOME;', 'protocol/range.ts: is pure, but uses the process'],
  ['protocol/range.ts', "import { d } from '../kernel/digest.ts';", 'protocol/range.ts: may import only types from the kernel'],
  ['protocol/range.ts', "import '../registry/REGISTRY.ts';", 'protocol/range.ts: may not import registry/REGISTRY.ts'],
  ['storage/local.ts', "import '../database/DATABASE.ts';", 'storage/local.ts: may not import database/DATABASE.ts'],
  ['storage/local.ts', 'const home = process.env.HOME;', 'storage/local.ts: may not read the environment'],
  ['storage/local.ts', "import fc from 'fast-check';", 'storage/local.ts: imports fast-check, which is not among the dependencies'],
  ['storage/local.ts', "import './missing.ts';", 'storage/local.ts: imports storage/missing.ts, which is not there'],
  ['storage/local.ts', "import './conformance.ts';", 'storage/local.ts: imports storage/conformance.ts, which is for tests'],
  ['storage/local.ts', "new URL('./x.ts', import.meta.url);", 'storage/local.ts: loads a module by URL without moduleUrl()'],
  ['storage/local.ts', "import '../certify/probe.ts';", 'storage/local.ts: may not import certify/probe.ts'],
  ['dataplane/DATAPLANE.ts', "import '../storage/local.ts';", 'dataplane/DATAPLANE.ts: may not import storage/local.ts'],
  ['registry/local.ts', "import '../storage/STORAGE.ts';", 'registry/local.ts: may not import storage/STORAGE.ts'],
  ['registry/local.ts', '// as S3 does', 'registry/local.ts: may not know S3'],
  ['registry/local.ts', "const message = 'The request holds no file.';", 'registry/local.ts: speaks of a door\'s "request"'],
  ['registry/local.ts', "const code = 'malformed_multipart';", 'registry/local.ts: speaks of a door\'s "malformed_multipart"'],
  ['kernel/digest.ts', "const message = 'Send the header again.';", 'kernel/digest.ts: speaks of a door\'s "header"'],
  ['doors/rest.ts', "import '../registry/local.ts';", 'doors/rest.ts: may not import registry/local.ts'],
  ['http/log.ts', "import '../doors/rest.ts';", 'http/log.ts: may not import doors/rest.ts'],
  ['http/log.ts', "import '../registry/REGISTRY.ts';", 'http/log.ts: may not import registry/REGISTRY.ts'],
  ['cli/serve.ts', "import '../database/DATABASE.ts';", 'cli/serve.ts: may not import database/DATABASE.ts'],
  ['kernel/digest.ts', 'process.exit();', 'kernel/digest.ts: is pure, but uses the process'],
  ['utilities/text.ts', "import '../config/config.ts';", 'utilities/text.ts: the part utilities has no row in the table of this test'],
  ['storage/STORAGE.ts', "import './local.ts';", 'storage/STORAGE.ts: imports itself, through storage/local.ts'],
];
