import { createEngine, type Engine, type EngineOptions } from '../../http/engine.ts';
import type { Identity } from '../../identity/IDENTITY.ts';
import { administrator, type Principal } from '../../kernel/access.ts';
import type { Registry } from '../../registry/REGISTRY.ts';
import { createConsoleDoor } from '../console/door.ts';
import { browserSessions } from '../console/session-of.ts';
import { createSessions } from '../console/sessions.ts';
import { bounds, sessionsOfOne } from './bounds.ts';
import { createRestDoor } from './door.ts';
import { showRegistry } from './gauges/registry.ts';
import { createHealthReader } from './health.ts';
import { keepRegistries } from './keep-registries.ts';

export interface ServerParts extends EngineOptions {
  registryFor(principal: Principal): Registry;
  readonly identity: Identity;
  /** Opens reads, and reads only, to callers without a token. */
  readonly anonymousRead: boolean;
  readonly version: string;
  /** Where the console was built; in this package where absent. */
  readonly consoleDirectory?: URL;
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

/** The HTTP server of a registry: the engine with the REST door and the console. */
export async function createServer(parts: ServerParts): Promise<HttpDoor> {
  const { isSecret } = parts.identity;
  const engine = createEngine(isSecret === undefined ? parts : { ...parts, isSecret });
  const { context } = engine;
  const registryFor = keepRegistries(parts.registryFor);
  const ofServer = registryFor(administrator('health'));
  const health = createHealthReader(ofServer, parts.version, parts.identity);
  const own = { render: showRegistry(context.metrics.register, health, ofServer) };
  const metrics: Metrics = { render: () => parts.renderMetrics?.(own) ?? own.render() };
  const { signIn } = parts.identity;
  const sessions = createSessions({ all: bounds.console_sessions.value, ofOne: sessionsOfOne }, Date.now);
  const door = createRestDoor(
    { ...context, health, version: parts.version, renderMetrics: metrics.render },
    { ...parts, registryFor, sessions: browserSessions(signIn, sessions) },
  );
  const { limited, log } = context;
  await engine.mount([door, createConsoleDoor({ directory: parts.consoleDirectory, signIn, sessions, limited, log })]);

  return {
    listen: engine.listen,
    close: engine.close,
    listening: engine.listening,
    metrics,
    describe: door.describe,
  };
}
