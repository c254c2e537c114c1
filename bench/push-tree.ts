import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Figure, median, progress, report, seconds } from './figure.ts';
import { copyRealTree } from './real-tree.ts';
import { openRestic } from './restic.ts';
import { startArtifactstore } from './server.ts';
import { openWorkspace, settleDisk } from './workspace.ts';

/**
 * A real tree of many small files through `artifactstore push`, and pushed again without a change; against Debian's
 * restic, which backs up the same tree to a repository on the same disk, and again. Each from the start of the command
 * to its end, each repetition with an empty registry and an empty repository.
 */
export async function pushTree(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(4 * 2 ** 30);
  const { directory } = workspace;
  // What commands keep between runs is kept here.
  process.env.HOME = directory;
  const tree = join(directory, 'tree');
  const { files, bytes } = copyRealTree(tree);
  // Nothing is remembered of files that are younger.
  await sleep(youngMilliseconds);

  const runs = { push: [] as number[], again: [] as number[], backup: [] as number[], backupAgain: [] as number[] };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const place = join(directory, `run-${repetition}`);
    mkdirSync(join(place, 'warm'), { recursive: true });
    writeFileSync(join(place, 'warm', 'file'), String(repetition));
    await using server = await startArtifactstore(place);
    const push = (path: string) => server.command('push', path, '--producer', 'bench', '--retention-class', 'transient', '--json');
    // Its code is compiled once for each home.
    await push(join(place, 'warm'));
    const restic = await openRestic(place);
    for (const [ours, theirs] of [
      [runs.push, runs.backup],
      ...Array.from({ length: againRuns }, () => [runs.again, runs.backupAgain] as const),
    ] as const) {
      settleDisk();
      ours.push(await seconds(() => push(tree)));
      settleDisk();
      if (restic !== undefined) theirs.push(await seconds(() => restic('backup', tree)));
    }
    progress(
      Object.entries(runs)
        .map(([name, times]) => `${name} ${times.at(-1)?.toFixed(2) ?? '-'} s`)
        .join(', '),
    );
    rmSync(join(place, 'restic'), { recursive: true, force: true });
  }

  const rate = (times: readonly number[]) => files / median(times);
  const against = (name: string, times: readonly number[], atLeast: number): Pick<Figure, 'against' | 'bar' | 'note'> =>
    times.length === 0 ? { note: 'no restic here' } : { against: { name, value: rate(times) }, bar: { of: 'ratio', atLeast } };
  const what = `${files.toLocaleString('en')} files of a real tree, ${Math.round(bytes / 2 ** 20)} MiB`;
  return [
    { name: `${what}, through push`, value: rate(runs.push), unit: '/s', ...against('restic backup', runs.backup, 0.67) },
    { name: 'the same tree pushed again', value: rate(runs.again), unit: '/s', ...against('restic backup again', runs.backupAgain, 1) },
  ];
}

const repetitions = 3;
const againRuns = 2;
const youngMilliseconds = 3_000;

if (import.meta.main) await report(pushTree);
