import process from 'node:process';
import { type Figure, median, progress, report, seconds } from './figure.ts';
import { createPackage, startArtifactstore } from './server.ts';
import { newContent, upload } from './transfer.ts';
import { openWorkspace, settleDisk } from './workspace.ts';

/**
 * One file in over HTTP by one request that can be resumed, which makes what came durable every 64 MiB, against
 * a plain PUT of as many bytes, in turns. 1 GiB, or as many MiB as `BENCH_RESUMABLE_MIB`.
 */
export async function resumable(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(8 * fileBytes);
  await using server = await startArtifactstore(workspace.directory);
  const packageId = await createPackage(server, 'resumable');
  const { url, authorization } = server;
  const resuming = { 'upload-complete': '?1', 'upload-draft-interop-version': '8' };
  const runs = { plain: [] as number[], resumable: [] as number[] };
  for (let repetition = 0; repetition <= repetitions; repetition++)
    for (const way of ['plain', 'resumable'] as const) {
      const headers = { authorization, ...(way === 'plain' ? {} : resuming) };
      const content = newContent(fileBytes);
      const taken = await seconds(() => upload('PUT', `${url}/packages/${packageId}/files/${way}-${repetition}`, headers, content));
      // The first of each pays for what is done once.
      if (repetition > 0) runs[way].push(taken);
      progress(`${way} ${(fileBytes / taken / 1e6).toFixed(0)} MB/s`);
      settleDisk();
    }
  const rate = (times: readonly number[]): number => fileBytes / median(times) / 1e6;
  return [
    {
      name: `${fileBytes / 2 ** 20} MiB in one request that can be resumed`,
      value: rate(runs.resumable),
      unit: 'MB/s',
      against: { name: 'plain PUT', value: rate(runs.plain) },
      bar: { of: 'ratio', atLeast: 0.95 },
    },
  ];
}

const fileBytes = Number(process.env.BENCH_RESUMABLE_MIB ?? 1_024) * 2 ** 20;
const repetitions = 3;

if (import.meta.main) await report(resumable);
