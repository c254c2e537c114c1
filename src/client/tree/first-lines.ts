/** Each on an indented line of its own: the first ten, and how many more there are. */
export function firstLines(lines: readonly string[]): string {
  const shown = lines.slice(0, shownLines).map((line) => `  ${line}`);
  if (lines.length > shown.length) shown.push(`  … and ${(lines.length - shown.length).toLocaleString('en')} more`);
  return shown.join('\n');
}

const shownLines = 10;
