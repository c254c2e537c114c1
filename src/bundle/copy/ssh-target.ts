import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { printable } from '../../kernel/format/printable.ts';
import { errnoCode, localFileError } from '../../runtime/file-error.ts';
import { readerLeft } from '../../runtime/reader-left.ts';
import { cancelled } from '../../runtime/stop.ts';
import type { CopyTarget } from './copy-bundle.ts';
import type { InstallOptions } from './directory-target.ts';
import { nothingInstalled } from './nothing-installed.ts';
import { exits, lookScript, nothingThere, putScript } from './ssh-scripts.ts';
import type { SshPlace } from './ssh-url.ts';

export interface SshOptions extends InstallOptions {
  /** Of the program `ssh`, which has keys and hosts as its user has them. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * A directory of another machine, which needs nothing but a shell and sha256sum. The system's own `ssh` leads there,
 * and never asks for anything.
 */
export function sshTarget(place: SshPlace, { mode, owner, create = false, environment }: SshOptions): CopyTarget {
  const title = `${place.host}:${place.directory}`;
  const remote = (script: string, args: readonly string[], input: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined) =>
    runSsh(place, title, commandOf(script, [place.directory, ...args]), input, environment, signal);
  return {
    title,
    async digestsOf(paths, signal) {
      const wanted = new Set(paths);
      const said = await remote(lookScript, [create ? 'create' : ''], lines(paths), signal);
      const found = said.split('\n').flatMap((line) => {
        const [, sha256 = '', path = ''] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
        return wanted.has(path) ? [[path, sha256] as const] : [];
      });
      return new Map(found);
    },
    async put({ path, sha256, body }, signal) {
      await remote(putScript, [path, sha256, mode.toString(8).padStart(4, '0'), owner ?? ''], body, signal);
    },
  };
}

/** The words of the remote command, each quoted for every shell that may be the login shell there. */
export function commandOf(script: string, args: readonly string[]): string {
  return ['sh', '-c', script, 'artifactstore', ...args].map(quoted).join(' ');
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** What ssh is started with. Everything that could be taken for an option stands before `--`. */
export function argumentsOf({ user, host, port }: SshPlace, command: string): readonly string[] {
  return [
    ...['-T', '-a', '-x'],
    ...['BatchMode=yes', 'ClearAllForwardings=yes', 'ConnectTimeout=20', 'ServerAliveInterval=15'].flatMap((option) => ['-o', option]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(user === undefined ? [] : ['-l', user]),
    '--',
    host,
    command,
  ];
}

/**
 * Of all variables those that ssh and its agent need. The others may hold tokens of this registry and keys of a bucket,
 * and a configuration of ssh can start other programs, or send variables to the other machine (`SendEnv`).
 */
export function environmentOf(environment: SshOptions['environment']): Readonly<Record<string, string | undefined>> {
  const asks = Object.hasOwn(environment, 'SSH_ASKPASS');
  return Object.fromEntries(Object.entries(environment).filter(([name]) => forSsh.test(name) || (asks && name === 'DISPLAY')));
}

/** `KRB5CCNAME` is where the tickets of Kerberos are, by which ssh can be let in. */
const forSsh = /^(?:PATH|HOME|USER|LOGNAME|TERM|LANG|LC_[A-Z]+|XDG_RUNTIME_DIR|KRB5CCNAME|SSH_[A-Z_]+)$/;

async function runSsh(
  place: SshPlace,
  title: string,
  command: string,
  input: AsyncIterable<Uint8Array>,
  environment: SshOptions['environment'],
  signal: AbortSignal | undefined,
): Promise<string> {
  if (signal?.aborted) throw cancelled(signal);
  const child = spawn('ssh', argumentsOf(place, command), { env: environmentOf(environment), stdio: 'pipe' });
  const stop = (): void => void child.kill('SIGTERM');
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const ended = once(child, 'close') as Promise<[number | null]>;
    const sent = pipeline(Readable.from(kept(input)), child.stdin).then(
      () => undefined,
      // Whatever ended the command has its own words for it; a file that cannot be read ends the command.
      (error: unknown) => {
        if (readerLeft(error)) return undefined;
        child.kill('SIGTERM');
        return error;
      },
    );
    const [out, err] = [collect(child.stdout), collect(child.stderr)];
    const [code] = await ended;
    const failure = await sent;
    if (signal?.aborted) throw cancelled(signal);
    if (failure !== undefined) throw failure;
    if (code === 0) return await out;
    throw failed(title, code, await err);
  } catch (error) {
    throw errnoCode(error) === 'ENOENT' && !isArtifactstoreError(error) ? noProgram(error) : error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

const longestOutput = 4_194_304;

async function collect(stream: Readable): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size <= longestOutput) parts.push(chunk);
    }
  } catch {
    // How the command ended says more than how its output did.
  }
  return Buffer.concat(parts).toString();
}

/** A stream asks for chunks ahead of those that it has written. */
async function* kept(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}

async function* lines(texts: readonly string[]): AsyncGenerator<Uint8Array> {
  yield Buffer.from(texts.map((text) => `${text}\n`).join(''));
}

function failed(title: string, code: number | null, said: string): ArtifactstoreError {
  if (code === nothingThere) return nothingInstalled(title);
  const words = printable(said.trim().split('\n').at(-1) ?? '').slice(0, 300);
  const detail = words === '' ? '' : `: ${words.replace(/\.$/, '')}`;
  const known = code === null ? undefined : exits[code];
  if (known !== undefined) return new ArtifactstoreError(known.code, `${title}: ${known.message}.`, { info: { hint: known.hint } });
  if (code === 255)
    return new ArtifactstoreError('server_unreachable', `ssh did not get to ${title}${detail}.`, {
      info: { hint: 'nobody is asked for a password or a key of a host: `ssh HOST true` has to work by itself' },
    });
  return new ArtifactstoreError('storage_unavailable', `The directory ${title} cannot be used${detail}.`, {
    info: { exit_code: code, hint: 'the words are those of the other machine' },
  });
}

function noProgram(cause: unknown): ArtifactstoreError {
  return new ArtifactstoreError('local_file_failed', 'There is no program `ssh` on this machine.', {
    info: { hint: 'install openssh-client, or copy into a directory of this machine' },
    cause: localFileError(cause, 'ssh', 'started'),
  });
}
