import { stripVTControlCharacters } from 'node:util';

/** How a table is laid out. */
export interface TableForm {
  /** Of the terminal; undefined where nobody looks at the width: a file, a pipe. */
  readonly columns: number | undefined;
  readonly bold: (text: string) => string;
}

/**
 * Rows under a head, in columns. Where they do not fit, text is wrapped in its column; ids, times and numbers never
 * are. Where that is not enough, each row is a block of lines of its own, as psql's expanded form.
 */
export async function formatTable(head: readonly string[], rows: readonly (readonly string[])[], form: TableForm): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const widths = head.map((title, column) => rows.reduce((width, row) => Math.max(width, textWidth(row[column] ?? '')), textWidth(title)));
  const fitted = form.columns === undefined ? widths : fit(head, rows, widths, form.columns);
  if (fitted === undefined) return expanded(head, rows, form);
  const table = new Table({
    head: head.map(form.bold),
    chars: noLines,
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 1 },
  });
  table.push(...rows.map((row) => row.map((text, column) => wrap(text, fitted[column]!).join('\n'))));
  return table.toString().replace(/[ ]+$/gm, '');
}

/** Between two columns: a padding and a space. */
const gap = 2;
const narrowestText = 12;

/** The widest columns give way first; undefined when what must stay whole does not fit. */
function fit(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  widths: readonly number[],
  columns: number,
): readonly number[] | undefined {
  const room = columns - gap * (head.length - 1);
  const least = widths.map((width, column) => {
    const whole = rows.some((row) => neverBroken.test(row[column] ?? ''));
    return whole ? width : Math.min(width, Math.max(narrowestText, textWidth(head[column]!)));
  });
  for (let limit = Math.max(...widths); limit >= narrowestText; limit -= 1) {
    const limited = widths.map((width, column) => Math.max(least[column]!, Math.min(width, limit)));
    if (limited.reduce((sum, width) => sum + width, 0) <= room) return limited;
  }
  return undefined;
}

/** What somebody copies, or reads as one: an id, a time, a digest, a number. */
const neverBroken = /^(?:[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT\S*|(?:blake3|sha256):\S*|[\d,.]+(?: [KMGTP]?i?B)?)$/;

function expanded(head: readonly string[], rows: readonly (readonly string[])[], { columns = 80, bold }: TableForm): string {
  const titleWidth = Math.max(...head.map(textWidth));
  const room = Math.max(columns - titleWidth - gap, narrowestText);
  const block = (row: readonly string[]): string =>
    head
      .map((title, column) => {
        const text = row[column] ?? '';
        const lines = neverBroken.test(text) ? [text] : wrap(text, room);
        const indent = ' '.repeat(titleWidth + gap);
        return `${bold(title)}${' '.repeat(titleWidth - textWidth(title) + gap)}${lines.join(`\n${indent}`)}`.trimEnd();
      })
      .join('\n');
  return rows.map(block).join('\n\n');
}

/** At spaces where there are some, else anywhere. */
function wrap(text: string, width: number): readonly string[] {
  if (textWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<= )/)) {
    if (line !== '' && textWidth(line) + textWidth(word.trimEnd()) > width) {
      lines.push(line.trimEnd());
      line = '';
    }
    for (const { segment } of graphemes.segment(word)) {
      if (segment !== ' ' && textWidth(line) + textWidth(segment) > width) {
        lines.push(line.trimEnd());
        line = '';
      }
      line += segment;
    }
  }
  lines.push(line.trimEnd());
  return lines;
}

/** In cells of a terminal. */
function textWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(stripVTControlCharacters(text))) width += wide.test(segment) ? 2 : 1;
  return width;
}

const graphemes = new Intl.Segmenter();
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

const noLines = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' ',
};
