import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';

const root = join(import.meta.dirname, '..');
const longest = 120;

const pages = globSync(['*.md', 'docs/**/*.md', 'bench/*.md'], { cwd: root }).sort();

describe('the pages', () => {
  for (const page of pages)
    test(`${page} has lines that a terminal shows, and links that lead somewhere`, () => {
      const text = readFileSync(join(root, page), 'utf8');
      assert.deepEqual(longLines(text), [], `wrap them at ${longest} characters`);
      for (const [, target = ''] of withoutCode(text).matchAll(/\]\(((?!https?:|mailto:)[^)\s]+)\)/g)) {
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? join(root, page) : join(root, dirname(page), path);
        assert.ok(existsSync(file), target);
        if (anchor !== undefined && file.endsWith('.md'))
          assert.ok(anchorsOf(readFileSync(file, 'utf8')).includes(anchor), `${target} in ${relative(root, file)}`);
      }
    });
});

/** By number; those of tables, of code, with a long piece of code in them, and of what a program writes between its marks are as long as they have to be. */
function longLines(text: string): readonly number[] {
  let code = false;
  let written = false;
  return text.split('\n').flatMap((line, index) => {
    if (line.trimStart().startsWith('```')) code = !code;
    if (line.startsWith('<!--')) written = /vectors:|: begin/.test(line);
    const excepted = code || written || /^\s*[|<]/.test(line) || /`[^`]{80,}`/.test(line) || !line.trim().includes(' ');
    return !excepted && line.length > longest ? [index + 1] : [];
  });
}

function withoutCode(text: string): string {
  return text.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, '');
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
