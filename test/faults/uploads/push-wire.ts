import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Workplace } from '../../cli/workplace.ts';
import type { KilledServers } from './killed-server.ts';
import { type Run, until } from './run.ts';

/** How long the uploads of one push are under way where nobody is killed: a later kill would hit none of them. */
export interface TransferTime {
  milliseconds: number;
}

/**
 * `push` of a directory by a process that is killed, and by the same command until it succeeds; the package's id.
 * `onKill` is told of each kill while uploads are under way, with how many they are. `transfer` is learnt on the way.
 */
export async function pushUntilDone(
  place: Workplace,
  servers: KilledServers,
  name: string,
  {
    random,
    signal,
    tally,
    transfer,
    onKill,
  }: Pick<Run, 'random' | 'signal' | 'tally'> & { readonly transfer: TransferTime; onKill(underWay: readonly string[]): void },
): Promise<string> {
  const cache = place.path(`${name}-cache`);
  const underWay = (): readonly string[] => {
    const folder = join(cache, 'artifactstore', 'uploads');
    return existsSync(folder) ? readdirSync(folder) : [];
  };
  let serverKilled = false;
  using _watched = servers.onKill(() => {
    serverKilled = true;
    onKill(underWay());
  });
  let [id, kills] = ['', 0];
  await until(name, signal, async () => {
    const child = place.startInto(
      'pipe',
      { ARTIFACTSTORE_API_URL: servers.url, XDG_CACHE_HOME: cache },
      ...['push', name, '--idempotency-key', name, '--retention-class', 'transient', '--json'],
    );
    let [printed, said] = ['', ''];
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const closed = once(child, 'close') as Promise<[number | null, string | null]>;
    const ended = new AbortController();
    serverKilled = false;
    const began = firstUpload(ended.signal);
    const killing = kills < mostKills && random(3) < 2 ? kill(child, began, ended.signal) : undefined;
    const [code, by] = await closed;
    ended.abort();
    await killing;
    const since = await began;
    if (code === 0 && !serverKilled && since !== undefined) transfer.milliseconds = (transfer.milliseconds + performance.now() - since) / 2;
    if (by === 'SIGKILL') return false;
    assert.ok(code === 0 || passing.test(said), `push ${name} ended with ${code}: ${said}`);
    if (code === 0) {
      const pushed: { readonly package_id: string; readonly total_bytes: number; readonly uploaded_bytes: number } = JSON.parse(printed);
      id = pushed.package_id;
      if (pushed.uploaded_bytes < pushed.total_bytes) tally.continued += 1;
    }
    return code === 0;
  });
  rmSync(cache, { recursive: true, force: true });
  return id;

  /** When the first upload of an attempt is seen; undefined where it ends before. */
  async function firstUpload(signal: AbortSignal): Promise<number | undefined> {
    while (underWay().length === 0) {
      if (signal.aborted) return undefined;
      await sleep(20);
    }
    return performance.now();
  }

  /** Mostly while its uploads are under way, and else at any time after its start. */
  async function kill(child: ChildProcess, began: Promise<unknown>, signal: AbortSignal): Promise<void> {
    const early = random(5) === 0;
    if (!early) await began;
    const longest = early ? 3_000 : Math.ceil(transfer.milliseconds);
    await sleep(random(longest), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const begun = underWay();
    if (!child.kill('SIGKILL')) return;
    tally.killed += 1;
    if (begun.length > 0) kills += 1;
    onKill(begun);
  }
}

/** With uploads under way: what comes after these says nothing new, and a slow machine would not come to an end. */
const mostKills = 3;

/** What a push says of a server that is gone, or of another that still does what it was told. */
const passing =
  /"code":"(?:server_unreachable|too_busy|database_unavailable|storage_unavailable|upload_superseded|upload_locked|upload_offset_mismatch)"/;
