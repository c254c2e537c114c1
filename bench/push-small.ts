import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Figure, median, progress, report, seconds } from './figure.ts';
import { startArtifactstore } from './server.ts';
import { openWorkspace, settleDisk } from './workspace.ts';

/**
 * A tree of 10,000 files of 4 KiB through `artifactstore push`, from the start of the command to its end, the seal
 * included; against a plain program that writes the same layout with the same fsyncs, 16 at a time; and the same tree
 * pushed once more.
 */
export async function pushSmall(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(4 * 2 ** 30);
  const { directory } = workspace;
  // What commands keep between runs is kept here; their code is compiled once for each home.
  process.env.HOME = directory;
  await using server = await startArtifactstore(directory);
  mkdirSync(join(directory, 'warm'));
  writeFileSync(join(directory, 'warm', 'file'), 'warm');
  await server.command('push', join(directory, 'warm'));

  const runs = { plain: [] as number[], push: [] as number[], again: [] as number[] };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const tree = join(directory, `tree-${repetition}`);
    makeTree(tree);
    // Nothing is remembered of files that are younger.
    await sleep(youngMilliseconds);
    settleDisk();
    runs.plain.push(plainWrite(tree, join(directory, 'plain')));
    settleDisk();
    const options = ['--producer', 'bench', '--subject', `tree-${repetition}`, '--retention-class', 'transient', '--json'];
    runs.push.push(await push(options));
    settleDisk();
    runs.again.push(await push(options));
    rmSync(tree, { recursive: true });
    settleDisk();
    progress(
      Object.entries(runs)
        .map(([name, times]) => `${name} ${times.at(-1)!.toFixed(2)} s`)
        .join(', '),
    );

    async function push(rest: readonly string[]): Promise<number> {
      let output = '';
      const spent = await seconds(async () => {
        output = await server.command('push', tree, ...rest);
      });
      const { file_count } = JSON.parse(output) as { file_count: number };
      if (file_count !== fileCount) throw new Error(`push reported ${file_count} files`);
      return spent;
    }
  }

  const rate = (times: readonly number[]) => fileCount / median(times);
  return [
    {
      name: '10,000 files of 4 KiB through push',
      value: rate(runs.push),
      unit: '/s',
      against: { name: 'plain program', value: rate(runs.plain) },
      bar: { of: 'ratio', atLeast: 0.5 },
    },
    {
      name: 'the same tree pushed again',
      value: rate(runs.again),
      unit: '/s',
      against: { name: 'first push', value: rate(runs.push) },
      bar: { of: 'ratio', atLeast: 10 },
    },
  ];
}

function makeTree(tree: string): void {
  const bytes = new Uint8Array(fileBytes);
  for (let folder = 0; folder < fileCount / filesPerFolder; folder++) {
    const path = join(tree, `folder-${folder}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < filesPerFolder; file++) writeFileSync(join(path, `file-${file}.bin`), randomFillSync(bytes));
  }
}

/** In a process of its own: the number of its file system threads is fixed at its start. */
function plainWrite(tree: string, root: string): number {
  const output = execFileSync(process.execPath, [plainWriter, tree, root], { env: { ...process.env, UV_THREADPOOL_SIZE: '16' } });
  rmSync(root, { recursive: true });
  return Number(output.toString());
}

const plainWriter = fileURLToPath(new URL('./plain-writer.ts', import.meta.url));
const fileCount = 10_000;
const filesPerFolder = 100;
const fileBytes = 4096;
const repetitions = 3;
const youngMilliseconds = 3_000;

if (import.meta.main) await report(pushSmall);
