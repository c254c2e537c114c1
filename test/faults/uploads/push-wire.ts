import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Workplace } from '../../cli/workplace.ts';
import type { Random } from '../../registry/random.ts';
import { type Tally, until } from './run.ts';

/** `push` of a directory by a process that is killed, and by the same command until it succeeds; the package's id. */
export async function pushUntilDone(
  place: Workplace,
  url: string,
  name: string,
  { random, signal, tally }: { readonly random: Random; readonly signal: AbortSignal; readonly tally: Tally },
): Promise<string> {
  let id = '';
  let attempts = 0;
  await until(name, signal, async () => {
    const child = place.startInto(
      'pipe',
      { ARTIFACTSTORE_API_URL: url },
      ...['push', name, '--idempotency-key', name, '--retention-class', 'transient', '--json'],
    );
    let [printed, said] = ['', ''];
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const kill = (): void => {
      if (child.kill('SIGKILL')) tally.killed += 1;
    };
    const timer = random(3) < 2 ? setTimeout(kill, 300 + random(3_000 + 1_000 * attempts++)) : undefined;
    const [code, ended] = (await once(child, 'close')) as [number | null, string | null];
    clearTimeout(timer);
    if (ended === 'SIGKILL') return false;
    assert.ok(code === 0 || passing.test(said), `push ${name} ended with ${code}: ${said}`);
    if (code === 0) {
      const pushed: { readonly package_id: string; readonly total_bytes: number; readonly uploaded_bytes: number } = JSON.parse(printed);
      id = pushed.package_id;
      if (pushed.uploaded_bytes < pushed.total_bytes) tally.continued += 1;
    }
    return code === 0;
  });
  return id;
}

/** What a push says of a server that is gone, or of another that still does what it was told. */
const passing =
  /"code":"(?:server_unreachable|too_busy|database_unavailable|storage_unavailable|upload_superseded|upload_locked|upload_offset_mismatch)"/;
