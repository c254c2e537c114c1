import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { answering, freePort } from '../../cli/answering.ts';
import type { Workplace } from '../../cli/workplace.ts';
import type { Random } from '../../registry/random.ts';

/** A server that is killed at random, and started again on the same port, until it is stopped. */
export interface KilledServer {
  readonly url: string;
  readonly kills: number;
  /** Lets it live from now on. */
  spare(): void;
  stop(): Promise<void>;
}

export async function serveAndKill(place: Workplace, random: Random): Promise<KilledServer> {
  const port = await freePort();
  const spared = Promise.withResolvers<void>();
  let [kills, sparing] = [0, false];
  const start = () => {
    const child = place.start('serve', '--port', String(port));
    for (const stream of [child.stdout!, child.stderr!]) stream.resume();
    return child;
  };
  let server = start();
  await answering(port);
  const killing = (async () => {
    while (!sparing) {
      // Longer each time, so that what takes longest comes to its end on a machine that is slow.
      await Promise.race([sleep(random(Math.min(10_000, 1_500 + 100 * kills))), spared.promise]);
      if (sparing) return;
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
      kills += 1;
      server = start();
      await answering(port);
    }
  })();
  const spare = (): void => {
    sparing = true;
    spared.resolve();
  };
  return {
    url: `http://127.0.0.1:${port}`,
    get kills() {
      return kills;
    },
    spare,
    async stop() {
      spare();
      await killing;
      const ended = once(server, 'exit');
      server.kill('SIGTERM');
      await ended;
    },
  };
}
