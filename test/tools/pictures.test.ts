import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { layersPicture } from '../../tools/pictures/layers.ts';
import { finishPicture, pictureDigest } from '../../tools/pictures/picture.ts';
import { terminalPicture } from '../../tools/pictures/terminal-picture.ts';
import { mayImport, pure } from '../layers-table.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'docs', 'pictures');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

describe('the pictures of docs/pictures/', () => {
  for (const name of globSync('*.mmd', { cwd: folder }))
    test(`${name} is drawn as it stands`, () => {
      const drawn = read(name.replace(/mmd$/, 'svg'));
      assert.ok(drawn.includes(pictureDigest(read(name))), 'draw it again: node tools/pictures/draw.ts');
    });

  test('that of the layers is that of their table', () => {
    const parts = Object.keys(mayImport).filter((part) => existsSync(join(root, 'src', part)));
    assert.equal(read('layers.mmd'), layersPicture({ mayImport, pure }, parts), 'draw it again: node tools/pictures/draw.ts');
  });

  test('an arrow that follows from others is not drawn, and what is not built yet is no box', () => {
    const table = {
      kernel: [],
      runtime: [],
      storage: [],
      registry: ['storage/STORAGE.ts'],
      'main.ts': ['registry/', 'storage/'],
      gone: [],
    };
    const source = layersPicture({ mayImport: table, pure: ['kernel'] }, ['kernel', 'runtime', 'storage', 'registry', 'main.ts']);
    const arrows = ['runtime --> kernel', 'storage --> runtime', 'registry --> storage', 'main --> registry'];
    assert.deepEqual(
      [...source.matchAll(/^ {2}(\w+ --> \w+)$/gm)].map(([, arrow]) => arrow),
      arrows,
    );
    assert.doesNotMatch(source, /gone/);
    assert.match(source, /class kernel kept/);
  });

  test('each says what it shows to those who cannot see it, needs nothing from elsewhere, and is on a page', () => {
    const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root }).map((path) => readFileSync(join(root, path), 'utf8'));
    const pictures = globSync('*.svg', { cwd: folder });
    assert.ok(pictures.length > 1);
    for (const name of pictures) {
      assert.match(read(name), /<title>[^<]{20,}<\/title>/, name);
      assert.doesNotMatch(read(name), /foreignObject|<script|<image|href=|@import|url\((?!#)/, name);
      assert.ok(
        pages.some((page) => new RegExp(`!\\[[^\\]]{20,}\\]\\(\\S*pictures/${name}\\)`, 's').test(page)),
        `${name} is on no page`,
      );
    }
  });

  test('that of a terminal has commands which README.md has too', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const commands = [...read('terminal.svg').matchAll(/>(artifactstore .*?)</g)].map(([, command = '']) => command);
    assert.ok(commands.length > 1);
    for (const command of commands) assert.ok(readme.includes(command.replace(/ [0-9a-f-]{36}/, ' <package_id>')), command);
  });

  test('what Mermaid drew stands alone: paper in both schemes, no style of its own, only the arrows that it uses', () => {
    const drawn =
      '<svg id="p" viewBox="0 0 100.5 50" role="graphics"><style>text{fill:red}</style><marker id="a" role="x"><path d=""/></marker>' +
      '<marker id="b"><path d=""/></marker><g class="node" data-id="A"><text x="1.23456">A</text></g><path d="M" style="stroke:1" ' +
      'marker-end="url(#a)"/></svg>';
    const picture = finishPicture(drawn, { source: 'flowchart TB', title: 'A picture' });
    assert.match(picture, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="141" height="90" viewBox="-20 -20 141 90" role="img">/);
    assert.match(picture, /prefers-color-scheme:dark/);
    assert.match(picture, /<text x="1.23">A<\/text>/);
    assert.match(picture, /<marker id="a"/);
    assert.doesNotMatch(picture, /fill:red|data-id|<marker id="b"|style="stroke/);
    assert.ok(picture.includes(pictureDigest('flowchart TB')));
    assert.notEqual(pictureDigest('flowchart TB'), pictureDigest('flowchart LR'));
  });

  test('a line of a terminal keeps its columns and its characters', () => {
    const title = 'a < b';
    const lines = [
      [
        { text: '$ ', style: 'dim' },
        { text: 'a & <b>', style: 'bold' },
      ],
      [],
      [{ text: 'ok', style: 'green' }],
    ] as const;
    const picture = terminalPicture(lines, { columns: 80, title });
    assert.match(picture, /<title>a &lt; b<\/title>/);
    assert.match(picture, /<text class="bold" x="33.6" y="48" textLength="54.6" xml:space="preserve">a &amp; &lt;b&gt;<\/text>/);
    assert.match(picture, /<text class="green" x="18.0" y="86"/);
  });
});
