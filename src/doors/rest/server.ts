import { anonymousActor } from '../../http/api.ts';
import { createEngine, type Engine, type EngineOptions } from '../../http/engine.ts';
import type { Registry } from '../../registry/REGISTRY.ts';
import { keepRecent } from '../../runtime/keep-recent.ts';
import type { BearerToken } from './auth.ts';
import { createRestDoor } from './door.ts';
import { createHealthReader } from './health.ts';
import { showRegistry } from './registry-gauges.ts';

export interface ServerParts extends Omit<EngineOptions, 'secrets'> {
  /** `principal` is for whom, where several share an actor. */
  registryFor(actor: string, principal?: string): Registry;
  readonly tokens: readonly BearerToken[];
  /** Opens reads, and reads only, to callers without a token. */
  readonly anonymousRead: boolean;
  readonly version: string;
  /** What `/metrics` shows; several processes behind one port give it the sum of theirs. */
  renderMetrics?(own: Metrics): Promise<string>;
}

/** As Prometheus reads it. */
export interface Metrics {
  render(): Promise<string>;
}

export interface HttpDoor extends Pick<Engine, 'close' | 'listen' | 'listening'> {
  readonly metrics: Metrics;
  /** The OpenAPI document. */
  describe(): Readonly<Record<string, unknown>>;
}

/** Principals whose registry is kept for their next request. */
const keptRegistries = 1_000;

/** The HTTP server of a registry: the engine with the REST door. */
export async function createServer(parts: ServerParts): Promise<HttpDoor> {
  const engine = createEngine({ ...parts, secrets: parts.tokens.map(({ token }) => token) });
  const { context } = engine;
  const registries = keepRecent<Registry>(keptRegistries);
  const registryFor = (actor: string, address?: string): Registry => {
    // Those without a token are as many as their addresses.
    const principal = actor === anonymousActor ? `${actor} ${address ?? ''}` : actor;
    return registries.get(principal, () => parts.registryFor(actor, principal));
  };
  const health = createHealthReader(registryFor('health'), parts.version);
  const own = { render: showRegistry(context.metrics.register, health, () => registryFor('health').usage()) };
  const metrics: Metrics = { render: () => parts.renderMetrics?.(own) ?? own.render() };
  const door = createRestDoor({ ...context, health, version: parts.version, renderMetrics: metrics.render }, { ...parts, registryFor });
  await engine.mount([door]);

  return {
    listen: engine.listen,
    close: engine.close,
    listening: engine.listening,
    metrics,
    describe: door.describe,
  };
}
