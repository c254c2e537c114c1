import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Figure, median, progress, report, seconds } from './figure.ts';
import { copyRealTree } from './real-tree.ts';
import { openRestic } from './restic.ts';
import { type Artifactstore, startArtifactstore } from './server.ts';
import { openWorkspace, settleDisk } from './workspace.ts';

/**
 * A real tree of many small files through `artifactstore pull`, from the start of the command to its end, every file
 * checked by both digests; against Debian's restic, which restores the same tree from a repository on the same disk.
 */
export async function pullTree(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(4 * 2 ** 30);
  const { directory } = workspace;
  await using server = await startArtifactstore(directory);
  const tree = join(directory, 'tree');
  const { files, bytes } = copyRealTree(tree);
  const pushed = JSON.parse(await server.command('push', tree, '--producer', 'bench', '--retention-class', 'transient', '--json')) as {
    package_id: string;
  };
  await untilSettled(server);
  const restic = await openRestic(directory);
  await restic?.('backup', tree);
  rmSync(tree, { recursive: true });

  const runs = { pull: [] as number[], restic: [] as number[] };
  const peaks: number[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    settleDisk();
    const target = join(directory, 'target');
    let output = '';
    runs.pull.push(
      await seconds(async () => {
        output = await server.command('pull', pushed.package_id, target, '--no-manifest', '--json');
      }),
    );
    const { written_files } = JSON.parse(output) as { written_files: number };
    peaks.push(server.commandPeakBytes());
    if (written_files !== files) throw new Error(`pull wrote ${written_files} files`);
    rmSync(target, { recursive: true });
    settleDisk();
    if (restic !== undefined) {
      runs.restic.push(await seconds(() => restic('restore', 'latest', '--target', target)));
      rmSync(target, { recursive: true });
    }
    progress(`pull ${runs.pull.at(-1)!.toFixed(2)} s, restic restore ${runs.restic.at(-1)?.toFixed(2) ?? '-'} s`);
  }
  return [
    {
      name: `${files.toLocaleString('en')} files of a real tree, ${Math.round(bytes / 2 ** 20)} MiB, through pull`,
      value: files / median(runs.pull),
      unit: '/s',
      ...(restic === undefined
        ? { note: 'no restic here' }
        : { against: { name: 'restic restore', value: files / median(runs.restic) }, bar: { of: 'ratio', atLeast: 0.5 } }),
    },
    { name: 'high-water memory of that pull', value: Math.max(...peaks) / 2 ** 20, unit: 'MiB' },
  ];
}

/** Small files that were committed with the log are where they stay. */
async function untilSettled(server: Artifactstore): Promise<void> {
  for (;;) {
    const { backend } = (await (await fetch(`${server.url}/health`)).json()) as { backend: { held_objects: number | null } };
    if ((backend.held_objects ?? 0) === 0) return;
    await sleep(100);
  }
}

const repetitions = 5;

if (import.meta.main) await report(pullTree);
