/** A part of a Markdown text, as it is drawn. Nothing of it is ever HTML: what has tags shows them. */
export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly spans: readonly Span[] }
  | { readonly kind: 'paragraph' | 'quote'; readonly spans: readonly Span[] }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly (readonly Span[])[] }
  | {
      readonly kind: 'table';
      readonly sides: readonly Side[];
      /** The headings first; every row has as many cells. */
      readonly rows: readonly (readonly (readonly Span[])[])[];
    }
  | { readonly kind: 'rule' };

/** Where the text of a column is; undefined where nothing is said. */
export type Side = 'left' | 'center' | 'right' | undefined;

export interface Span {
  readonly kind: 'text' | 'code' | 'strong' | 'emphasis' | 'link';
  readonly text: string;
  /** Of a link: shown, and not followed. */
  readonly target?: string;
}

/**
 * The common forms of CommonMark, and the tables of GitHub Flavored Markdown. What is in no known form is a paragraph.
 */
export function parseMarkdown(source: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = source.split(/\r?\n/);
  let paragraph: string[] = [];
  const end = (): void => {
    if (paragraph.length > 0) blocks.push({ kind: 'paragraph', spans: spansOf(paragraph.join(' ')) });
    paragraph = [];
  };
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const fence = /^\s{0,3}(```+|~~~+)/.exec(line)?.[1];
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
    if (fence !== undefined) {
      end();
      const code: string[] = [];
      for (at++; at < lines.length && !lines[at]!.trimStart().startsWith(fence); at++) code.push(lines[at]!);
      blocks.push({ kind: 'code', text: code.join('\n') });
    } else if (heading !== null) {
      end();
      blocks.push({ kind: 'heading', level: heading[1]!.length, spans: spansOf(heading[2]!) });
    } else if (/^\s{0,3}([-*_])(\s*\1){2,}\s*$/.test(line)) {
      end();
      blocks.push({ kind: 'rule' });
    } else if (listItem.test(line)) {
      end();
      const ordered = /^\s*\d/.test(line);
      const items: (readonly Span[])[] = [];
      for (; at < lines.length && listItem.test(lines[at]!); at++) items.push(spansOf(lines[at]!.replace(listItem, '')));
      at--;
      blocks.push({ kind: 'list', ordered, items });
    } else if (/^\s{0,3}>/.test(line)) {
      end();
      const quote: string[] = [];
      for (; at < lines.length && /^\s{0,3}>/.test(lines[at]!); at++) quote.push(lines[at]!.replace(/^\s{0,3}>\s?/, ''));
      at--;
      blocks.push({ kind: 'quote', spans: spansOf(quote.join(' ')) });
    } else if (sidesOf(line, lines[at + 1]) !== undefined) {
      end();
      const sides = sidesOf(line, lines[at + 1])!;
      const rows = [cellsOf(line)];
      for (at += 2; at < lines.length && isRow(lines[at]!); at++) rows.push(cellsOf(lines[at]!));
      at--;
      blocks.push({ kind: 'table', sides, rows: rows.map((row) => sides.map((_, index) => spansOf(row[index] ?? ''))) });
    } else if (line.trim() === '') end();
    else paragraph.push(line.trim());
  }
  end();
  return blocks;
}

/** Of a table that begins with these lines: its headings, and a line of as many dashes. Undefined of anything else. */
function sidesOf(headings: string, dashes: string | undefined): readonly Side[] | undefined {
  if (!headings.includes('|') || dashes === undefined || !/^[\s|:-]+$/.test(dashes)) return undefined;
  const cells = cellsOf(dashes);
  if (cells.length !== cellsOf(headings).length || !cells.every((cell) => /^:?-+:?$/.test(cell))) return undefined;
  return cells.map((cell) =>
    !cell.endsWith(':') ? (cell.startsWith(':') ? 'left' : undefined) : cell.startsWith(':') ? 'center' : 'right',
  );
}

/** The next line belongs to a table as long as it begins nothing else. */
function isRow(line: string): boolean {
  return line.trim() !== '' && !/^\s{0,3}(?:>|#{1,6}\s|```|~~~)/.test(line) && !listItem.test(line);
}

/** A stroke with a backslash before it is a part of its cell, in code too. */
function cellsOf(line: string): readonly string[] {
  return line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

const listItem = /^\s{0,6}(?:[-*+]|\d{1,9}[.)])\s+/;
const spans = /(`+)([^`]+)\1|\*\*([^*]+)\*\*|__([^_]+)__|\*([^*\s][^*]*)\*|!?\[([^\]]*)\]\(([^)\s]*)[^)]*\)/g;

function spansOf(text: string): readonly Span[] {
  const found: Span[] = [];
  let from = 0;
  for (const match of text.matchAll(spans)) {
    if (match.index > from) found.push({ kind: 'text', text: text.slice(from, match.index) });
    const [whole, , code, strong, alsoStrong, emphasis, name, target] = match;
    if (code !== undefined) found.push({ kind: 'code', text: code });
    else if (strong !== undefined || alsoStrong !== undefined) found.push({ kind: 'strong', text: strong ?? alsoStrong ?? '' });
    else if (emphasis !== undefined) found.push({ kind: 'emphasis', text: emphasis });
    else found.push({ kind: 'link', text: name ?? '', target: target ?? '' });
    from = match.index + whole.length;
  }
  if (from < text.length) found.push({ kind: 'text', text: text.slice(from) });
  return found;
}
