import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../registry/random.ts';
import { authorization, noteAnswer, requirePassing, type Tally } from './run.ts';

export interface Heard {
  /** Of the last answer that is no interim one; 0 where there was none. */
  readonly status: number;
  /** Of all answers, the later ones over the earlier. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/**
 * Asks with curl. A body drips, so that it takes a while; the process may be killed meanwhile. What it printed counts.
 */
async function curl(
  args: readonly string[],
  {
    body,
    random,
    kill,
  }: { readonly body?: Uint8Array; readonly random: Random; readonly kill: ((child: ChildProcess) => void) | undefined },
): Promise<Heard> {
  const upload = body === undefined ? [] : ['-T', '-'];
  const child = spawn('curl', ['-sS', '-i', '-N', '--max-time', '60', '-H', `authorization: ${authorization}`, ...upload, ...args], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let printed = '';
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    printed += text;
  });
  child.stdin.on('error', () => undefined);
  const closed = once(child, 'close');
  const timer = kill === undefined ? undefined : setTimeout(() => kill(child), random(400));
  if (body !== undefined)
    for (let at = 0; at < body.length && child.exitCode === null && child.signalCode === null; at += pieceBytes) {
      child.stdin.write(body.subarray(at, at + pieceBytes));
      await sleep(random(12));
    }
  child.stdin.end();
  await closed;
  clearTimeout(timer);
  return heard(printed);
}

/** For the requests of one attempt, all of which may be killed or none; `path` is what they are about. */
export function askerOf(path: string, random: Random, tally: Tally): (args: readonly string[], body?: Uint8Array) => Promise<Heard> {
  const kill = (child: ChildProcess): void => {
    if (child.kill('SIGKILL')) tally.killed += 1;
  };
  const killed = random(3) === 0 ? kill : undefined;
  return async (args, body) => {
    const answer = await curl(args, { random, kill: killed, ...(body === undefined ? {} : { body }) });
    const code = /"code":"(\w+)"/.exec(answer.text)?.[1] ?? '';
    noteAnswer(path, `${described(args, body)}: ${answer.status} ${code} ${answer.headers['upload-offset'] ?? ''}`.trimEnd());
    requirePassing(path, answer.status, answer.text);
    return answer;
  };
}

function described(args: readonly string[], body: Uint8Array | undefined): string {
  const range = args.find((arg) => /^(?:content-range|upload-offset):/.test(arg)) ?? '';
  return `${args.includes('-I') ? 'HEAD' : body === undefined ? 'GET or POST' : `${body.length} bytes`} ${range}`.trimEnd();
}

const pieceBytes = 65_536;

function heard(printed: string): Heard {
  let status = 0;
  let headers: Record<string, string> = {};
  let text = printed;
  for (let found = head.exec(text); found !== null; found = head.exec(text)) {
    const [whole, code, fields] = found as unknown as [string, string, string];
    if (!code.startsWith('1')) status = Number(code);
    headers = { ...headers, ...fieldsOf(fields) };
    text = text.slice(whole.length);
  }
  return { status, headers, text };
}

/** A 100 has no field. */
const head = /^HTTP\/1\.1 (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/;

function fieldsOf(lines: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    lines
      .split('\r\n')
      .filter((line) => line !== '')
      .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
}
