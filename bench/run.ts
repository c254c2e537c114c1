import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Figure, met, table } from './figure.ts';
import { describeMachine } from './machine.ts';

/**
 * `npm run bench [question …] [--against peer]`: every question one after the other, each in a process of its own, and
 * one table; against a peer alone, such as `minio`, the one that is about it. Ends with 1 when a bar was missed or a
 * question failed. An answer takes minutes and needs the machine for itself.
 */
async function run(asked: readonly string[]): Promise<boolean> {
  const unknown = asked.filter((question) => !questions.includes(question));
  if (unknown.length > 0) throw new Error(`no such question: ${unknown.join(', ')}; there are ${questions.join(', ')}`);
  const figures: Figure[] = [];
  const failed: string[] = [];
  for (const question of asked.length === 0 ? questions : asked) {
    process.stderr.write(`${question}\n`);
    const answer = await ask(question);
    if (answer === undefined) failed.push(question);
    else figures.push(...answer);
  }
  process.stdout.write(`\n${new Date().toISOString().slice(0, 10)}, ${describeMachine()}\n\n${table(figures)}\n`);
  if (failed.length > 0) process.stdout.write(`\nFailed: ${failed.join(', ')}\n`);
  return failed.length === 0 && figures.every((figure) => met(figure) !== false);
}

async function ask(question: string): Promise<readonly Figure[] | undefined> {
  const file = fileURLToPath(new URL(`./${question}.ts`, import.meta.url));
  const child = spawn(process.execPath, [file, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = () => child.kill('SIGTERM');
  process.once('exit', stop);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject));
  process.removeListener('exit', stop);
  return code === 0 ? (JSON.parse(output) as readonly Figure[]) : undefined;
}

const questions: readonly string[] = [
  'dataplane',
  'ingest-http',
  'resumable',
  'uploads',
  'sessions',
  'presigned',
  'push-small',
  'push-tree',
  'pull-tree',
  'download',
  'access',
  'events',
  'feed',
  'scale',
  'lifecycle',
  'memory',
  's3',
  'against-minio',
];

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const { values, positionals } = parseArgs({ options: { against: { type: 'string', multiple: true } }, allowPositionals: true });
const against = (values.against ?? []).map((peer) => `against-${peer}`);
if (!(await run([...positionals, ...against]))) process.exitCode = 1;
