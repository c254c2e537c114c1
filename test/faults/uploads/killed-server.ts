import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { answering, freePort } from '../../cli/answering.ts';
import type { Workplace } from '../../cli/workplace.ts';
import type { Random } from '../../registry/random.ts';
import { balance } from './balancer.ts';

/** Servers of one registry, of which one is killed at random and started again on the same port, until they stop. */
export interface KilledServers {
  /** Of the one, or of what leads to one that is there. */
  readonly url: string;
  readonly kills: number;
  /** Told of each kill, just before it. */
  onKill(listener: () => void): Disposable;
  stop(): Promise<void>;
}

/**
 * One for each place; none is killed after `ends`, by `performance`. From its first answer on one lives for at most
 * `lifeMilliseconds`; where that is absent, for longer each time.
 */
export async function serveAndKill(
  places: readonly Workplace[],
  random: Random,
  ends: number,
  lifeMilliseconds?: number,
): Promise<KilledServers> {
  const servers: OneServer[] = [];
  for (const place of places) servers.push(await startServer(place));
  const ports = servers.map(({ port }) => port);
  const balancer = ports.length === 1 ? undefined : await balance(ports, random);
  const spared = Promise.withResolvers<void>();
  const listeners = new Set<() => void>();
  let [kills, sparing] = [0, false];
  // On a machine that is slow it lives longer.
  let startMilliseconds = Math.max(...servers.map((server) => server.startMilliseconds));
  const killing = (async () => {
    while (!sparing) {
      // And longer each time, so that what takes longest comes to its end; the first time before all is done.
      const longest = kills === 0 ? 1_000 : startMilliseconds + (lifeMilliseconds ?? Math.min(10_000, 500 + 100 * kills));
      await Promise.race([sleep(random(longest)), spared.promise]);
      if (sparing || performance.now() >= ends) return;
      const server = servers[random(servers.length)]!;
      // What is sent from now on finds a server that is gone: no kill hits it.
      kills += 1;
      for (const tell of listeners) tell();
      await server.killAndStart();
      startMilliseconds = server.startMilliseconds;
    }
  })();
  return {
    url: balancer?.url ?? `http://127.0.0.1:${ports[0]!}`,
    get kills() {
      return kills;
    },
    onKill(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => listeners.delete(listener) };
    },
    async stop() {
      sparing = true;
      spared.resolve();
      await killing;
      balancer?.stop();
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

interface OneServer {
  readonly port: number;
  /** Until it answered, the last time. */
  readonly startMilliseconds: number;
  killAndStart(): Promise<void>;
  stop(): Promise<void>;
}

async function startServer(place: Workplace): Promise<OneServer> {
  const port = await freePort();
  let startMilliseconds = 0;
  const start = async (): Promise<ChildProcess> => {
    const since = performance.now();
    const child = place.start('serve', '--port', String(port));
    let said = '';
    child.stdout!.resume();
    child.stderr!.on('data', (text: Uint8Array) => {
      said += text;
    });
    const ended = once(child, 'exit').then(([code]) => assert.fail(`the server ended with ${code}: ${said}`));
    // An end of it is told at once.
    await Promise.race([answering(port, 10_000), ended]);
    ended.catch(() => undefined);
    startMilliseconds = performance.now() - since;
    return child;
  };
  let server = await start();
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  };
  return {
    port,
    get startMilliseconds() {
      return startMilliseconds;
    },
    async killAndStart() {
      await end('SIGKILL');
      server = await start();
    },
    stop: () => end('SIGTERM'),
  };
}
