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

/**
 * By number. A row of a table cannot be broken: there it is each cell that must not be longer, and what needs more is a
 * list. What a program writes between its marks, and a line without a space, are as long as they have to be.
 */
function longLines(text: string): readonly number[] {
  let code = false;
  let written = false;
  return text.split('\n').flatMap((line, index) => {
    if (line.trimStart().startsWith('```')) code = !code;
    if (line.startsWith('<!--')) written = /vectors:|: begin/.test(line);
    const parts = !code && line.startsWith('|') ? line.split(/(?<!\\)\|/).map((cell) => cell.trim()) : [line];
    const long = parts.some((part) => part.length > longest && part.trim().includes(' '));
    return !written && long ? [index + 1] : [];
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
