import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type PackedFile, packed } from './packed.ts';
import { type Line, terminalPicture } from './terminal-picture.ts';

/**
 * `node tools/pictures/terminal.ts`: runs the first commands of README.md against a server of its own, each in a
 * terminal (that of util-linux's `script`), and draws what was then on the screen as docs/pictures/terminal.svg.
 */
const root = join(import.meta.dirname, '..', '..');
const columns = 118;
const emulator: PackedFile = {
  name: '@xterm/headless',
  version: '6.0.0',
  path: 'lib-headless/xterm-headless.js',
  sha256: '17a90b650cf6b77cce2b98c4063884d43545e4ce177a54b76ccfc906f1aacaed',
};
const place = mkdtempSync(join(tmpdir(), 'artifactstore-terminal-'));
mkdirSync(join(place, 'reports'));
writeFileSync(join(place, 'reports', 'summary.json'), '{"passed":412,"failed":0}\n');
writeFileSync(join(place, 'reports', 'tests.log'), Array.from({ length: 20_000 }, (_, index) => `ok ${index + 1}\n`).join(''));
writeFileSync(join(place, 'reports', 'coverage.html'), '<p>94 %</p>\n'.repeat(200_000));

const entry = join(root, 'bin', 'artifactstore.js');
const server = spawn(process.execPath, [entry, 'dev', '--json', '--port', '0'], { cwd: place, stdio: ['ignore', 'pipe', 'inherit'] });
try {
  const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
  const environment = { ...process.env, ARTIFACTSTORE_API_URL: JSON.parse(line).url as string, TERM: 'xterm-256color' };
  const lines: Line[] = [];
  const show = async (...args: readonly string[]): Promise<string> => {
    const command = `artifactstore ${args.join(' ')}`;
    lines.push(
      [
        { text: '$ ', style: 'dim' },
        { text: command, style: 'bold' },
      ],
      ...(await screenOf(args, environment)),
      [],
    );
    return lines.map((each) => each.map(({ text }) => text).join('')).join('\n');
  };
  const said = await show('push', './reports', '--producer', 'ci', '--subject', 'nightly');
  const id = /package ([0-9a-f-]{36})/.exec(said)?.[1];
  if (id === undefined) throw new Error(`The push named no package:\n${said}`);
  await show('verify', id);
  await show('retention', 'show', id);
  const title = 'A terminal: a directory is pushed and sealed, verified, and its retention shown';
  writeFileSync(join(root, 'docs', 'pictures', 'terminal.svg'), terminalPicture(lines.slice(0, -1), { columns, title }));
} finally {
  server.kill('SIGTERM');
  if (server.exitCode === null) await once(server, 'exit');
  rmSync(place, { recursive: true, force: true });
}

/** What a terminal shows after a command, line by line. */
async function screenOf(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Line[]> {
  const quoted = [process.execPath, entry, ...args].map((word) => `'${word}'`).join(' ');
  const bytes = execFileSync('script', ['-qec', `stty cols ${columns}; ${quoted}`, '/dev/null'], { cwd: place, env });
  const require = createRequire(import.meta.url);
  const { Terminal } = require(packed(emulator)) as TerminalModule;
  const terminal = new Terminal({ cols: columns, rows: 60, allowProposedApi: true });
  await new Promise<void>((done) => terminal.write(bytes, done));
  const screen = terminal.buffer.active;
  const shown = Array.from({ length: screen.length }, (_, row) => lineOf(screen.getLine(row)));
  return shown.slice(0, shown.findLastIndex((line) => line.length > 0) + 1);
}

/** Its cells as pieces of one look each, without the blanks at the end. */
function lineOf(row: Row | undefined): Line {
  const pieces: { text: string; style: Line[number]['style'] }[] = [];
  for (let column = 0; row !== undefined && column < row.length; column++) {
    const cell = row.getCell(column);
    const style = cell === undefined ? 'plain' : styleOf(cell);
    const text = cell?.getChars() || ' ';
    const last = pieces.at(-1);
    if (last?.style === style) last.text += text;
    else pieces.push({ text, style });
  }
  const last = pieces.at(-1);
  if (last !== undefined) last.text = last.text.trimEnd();
  return pieces.filter(({ text }) => text !== '');
}

function styleOf(cell: Cell): Line[number]['style'] {
  if (cell.isFgPalette() && cell.getFgColor() === 2) return 'green';
  if (cell.isFgPalette() && cell.getFgColor() === 1) return 'red';
  if (cell.isDim() !== 0) return 'dim';
  return cell.isBold() === 0 ? 'plain' : 'bold';
}

interface Cell {
  getChars(): string;
  getFgColor(): number;
  isFgPalette(): boolean;
  isBold(): number;
  isDim(): number;
}

interface Row {
  readonly length: number;
  getCell(column: number): Cell | undefined;
}

interface TerminalModule {
  readonly Terminal: new (
    options: object,
  ) => {
    write(bytes: Uint8Array, done: () => void): void;
    readonly buffer: { readonly active: { readonly length: number; getLine(row: number): Row | undefined } };
  };
}
