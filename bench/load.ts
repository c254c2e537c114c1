import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './program.ts';

export interface Load {
  readonly directory: string;
  readonly url: string;
  /** Asked for in turn, over and over. */
  readonly paths: readonly string[];
  readonly authorization?: string;
  readonly connections: number;
  readonly seconds: number;
  /** What every answer must be long. */
  readonly bodyBytes: number;
}

/** Whether the load generator, wrk, is installed. */
export function canLoad(): boolean {
  return findProgram('wrk') !== undefined;
}

/** Answers a second under GETs over kept connections, by wrk on one thread. Any answer that is not 200 is an error. */
export async function load({ directory, url, paths, authorization, connections, seconds, bodyBytes }: Load): Promise<number> {
  const script = join(directory, 'load.lua');
  writeFileSync(join(directory, 'load.txt'), paths.join('\n'));
  writeFileSync(
    script,
    `local requests, next = {}, 0
function init()
  for path in io.lines(${JSON.stringify(join(directory, 'load.txt'))}) do
    requests[#requests + 1] = wrk.format('GET', path, { ${authorization === undefined ? '' : `Authorization = ${JSON.stringify(authorization)}`} })
  end
end
function request()
  next = next % #requests + 1
  return requests[next]
end
`,
  );
  const output = await new Promise<string>((resolve, reject) =>
    execFile(
      findProgram('wrk') ?? 'wrk',
      ['--threads', '1', '--connections', String(connections), '--duration', `${seconds}s`, '--script', script, url],
      (error, stdout) => (error === null ? resolve(stdout) : reject(error)),
    ),
  );
  const rate = Number(/^Requests\/sec: +([\d.]+)$/m.exec(output)?.[1]);
  const count = Number(/^ +(\d+) requests in /m.exec(output)?.[1]);
  const read = bytesOf(/ requests in [^,]+, ([\d.]+)(B|KB|MB|GB) read/.exec(output));
  if (/Non-2xx|Socket errors/.test(output) || !(rate > 0) || !(read / count >= bodyBytes)) throw new Error(`wrk: ${output}`);
  return rate;
}

/** wrk rounds to two decimals of a binary unit: up to half of the last digit may be missing. */
function bytesOf(match: RegExpExecArray | null): number {
  const [, number, unit] = match ?? [];
  const scale = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 }[unit ?? ''] ?? Number.NaN;
  return (Number(number) + 0.005) * scale;
}
