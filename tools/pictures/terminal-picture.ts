import { escaped } from './picture.ts';

export type Line = readonly { readonly text: string; readonly style: 'plain' | 'bold' | 'dim' | 'green' | 'red' }[];

const cellWidth = 7.8;
const lineHeight = 19;
const margin = 18;
const bar = 34;
const style = [
  'text{font:13px "DejaVu Sans Mono",Menlo,Consolas,"Liberation Mono",monospace;white-space:pre;fill:#e6edf3}',
  '.bold{font-weight:bold}.dim{fill:#9198a1}.green{fill:#3fb950}.red{fill:#f85149}',
  '.window{fill:#0d1117;stroke:#3d444d}.dot{fill:#3d444d}',
].join('');

/**
 * Lines of a terminal as a picture, dark on any page. Each piece states its own width, so that any font keeps the
 * columns.
 */
export function terminalPicture(lines: readonly Line[], { columns, title }: { readonly columns: number; readonly title: string }): string {
  const width = Math.ceil(columns * cellWidth + 2 * margin);
  const height = bar + lines.length * lineHeight + margin;
  const texts = lines.flatMap((line, row) => {
    let column = 0;
    return line.map(({ text, style: look }) => {
      const x = (margin + column * cellWidth).toFixed(1);
      column += text.length;
      const length = (text.length * cellWidth).toFixed(1);
      const y = bar + row * lineHeight + 14;
      return `<text class="${look}" x="${x}" y="${y}" textLength="${length}" xml:space="preserve">${escaped(text)}</text>`;
    });
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    '<!-- drawn by tools/pictures/terminal.ts from a real run -->',
    `<style>${style}</style>`,
    `<rect class="window" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    ...[0, 1, 2].map((dot) => `<circle class="dot" cx="${margin + 4 + dot * 18}" cy="18" r="5"/>`),
    ...texts,
    '</svg>\n',
  ].join('\n');
}
