import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildConsole, compressed } from '../../tools/build-console.ts';

const files = await buildConsole();
const textOf = (name: string): string => Buffer.from(files.get(name)!).toString('utf8');
const page = textOf('index.html');

test('what a browser loads before the overview is shown has less than 120 KiB, compressed', () => {
  const sizes = compressed(files);
  const loaded = new Set<string>();
  const load = (name: string): void => {
    if (loaded.has(name)) return;
    loaded.add(name);
    // What a module names at its top is loaded with it; pages are asked for by `import()`.
    if (name.endsWith('.js')) for (const [, imported] of textOf(name).matchAll(/(?:from|import)"\.\/([^"]+)"/g)) load(`assets/${imported}`);
  };
  for (const [, name] of page.matchAll(/(?:href|src)="(assets\/[^"]+)"/g)) load(name!);
  load([...files.keys()].find((name) => name.startsWith('assets/overview-'))!);
  const bytes = [...loaded].reduce((sum, name) => sum + sizes.get(`${name}.gz`)!.length, page.length);
  assert.ok(loaded.size >= 5, [...loaded].join(' '));
  assert.ok(bytes < 120 * 1024, `${bytes} bytes`);
});

test('the page names what was built, by its digest, and has nothing inline', () => {
  const named = [...page.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, name = '']) => name);
  assert.deepEqual(
    named.filter((name) => name !== './' && !files.has(name)),
    [],
  );
  const main = named.find((name) => /main-\w+\.js$/.test(name))!;
  const imported = [...textOf(main).matchAll(/(?:from|import)"\.\/([^"]+)"/g)].map(([, name]) => `assets/${name}`);
  const preloaded = [...page.matchAll(/rel="modulepreload" href="([^"]+)"/g)].map(([, name]) => name);
  assert.deepEqual(preloaded.sort(), imported.sort(), 'what is loaded with the first file is asked for with it');
  for (const name of files.keys()) if (name.startsWith('assets/')) assert.match(name, /-[A-Z0-9]{8}\.(js|css|svg)$/);
  assert.doesNotMatch(page, /<style|<script(?![^>]* src=)| style=| on\w+=/);
  assert.match(page, /<base href="\.\/" \/>/);
});

test('the files name no other host', () => {
  const namespaces = /^https?:\/\/(www\.w3\.org\/|localhost\/console\/)/;
  for (const name of files.keys())
    if (name !== 'licenses.txt')
      assert.deepEqual(
        [...textOf(name).matchAll(/https?:\/\/[^"'`)\s]+/g)].map(([url]) => url).filter((url) => !namespaces.test(url)),
        [],
        name,
      );
});

test('whose code is in the files is said beside them', () => {
  for (const name of ['preact', '@preact/signals', '@preact/signals-core', 'hash-wasm'])
    assert.ok(textOf('licenses.txt').includes(`${name}\n\n`), name);
});
