import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
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
export async function load({ paths, bodyBytes, ...more }: Load): Promise<number> {
  const list = join(more.directory, 'load.txt');
  writeFileSync(list, paths.join('\n'));
  const { rate, readBytes } = await run(
    more,
    `local requests, next = {}, 0
function init()
  for path in io.lines(${JSON.stringify(list)}) do
    requests[#requests + 1] = wrk.format('GET', path, ${headersOf(more)})
  end
end
function request()
  next = next % #requests + 1
  return requests[next]
end
`,
  );
  if (!(readBytes >= bodyBytes)) throw new Error(`wrk: ${readBytes} bytes an answer`);
  return rate;
}

export interface PutLoad extends Pick<Load, 'directory' | 'url' | 'authorization' | 'connections' | 'seconds' | 'bodyBytes'> {
  /** What every path begins with; a number follows. */
  readonly prefix: string;
}

/** Answers a second under PUTs, each to its own path and with its own bytes. Any that is not 2xx is an error. */
export async function loadPuts({ prefix, bodyBytes, ...more }: PutLoad): Promise<number> {
  const { rate } = await run(
    more,
    `math.randomseed(${randomInt(2 ** 31)})
local headers, next, filling = ${headersOf(more)}, 0, {}
for index = 1, ${bodyBytes - 32} do filling[index] = string.char(math.random(0, 255)) end
filling = table.concat(filling)
function request()
  next = next + 1
  return wrk.format('PUT', ${JSON.stringify(prefix)} .. next, headers, string.format('%032d', next) .. filling)
end
`,
  );
  return rate;
}

function headersOf({ authorization }: Pick<Load, 'authorization'>): string {
  return authorization === undefined ? '{}' : `{ Authorization = ${JSON.stringify(authorization)} }`;
}

type Running = Pick<Load, 'directory' | 'url' | 'connections' | 'seconds'>;

async function run(
  { directory, url, connections, seconds }: Running,
  text: string,
): Promise<{ readonly rate: number; readonly readBytes: number }> {
  const script = join(directory, 'load.lua');
  writeFileSync(script, text);
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
  if (/Non-2xx|Socket errors/.test(output) || !(rate > 0)) throw new Error(`wrk: ${output}`);
  return { rate, readBytes: read / count };
}

/** wrk rounds to two decimals of a binary unit: up to half of the last digit may be missing. */
function bytesOf(match: RegExpExecArray | null): number {
  const [, number, unit] = match ?? [];
  const scale = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 }[unit ?? ''] ?? Number.NaN;
  return (Number(number) + 0.005) * scale;
}
