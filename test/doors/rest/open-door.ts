import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { createServer, type HttpDoor } from '../../../src/doors/rest/server.ts';
import type { Limits } from '../../../src/http/limits.ts';
import { createLog } from '../../../src/http/log.ts';
import type { PrefixOptions } from '../../../src/http/prefix.ts';
import type { Identity } from '../../../src/identity/IDENTITY.ts';
import { openIdentity } from '../../../src/identity/open.ts';
import type { Package, Registry } from '../../../src/registry/REGISTRY.ts';
import { openTestRegistry, type TestRegistry } from '../../registry/open-registry.ts';
import { watchAnswers } from './undescribed-answers.ts';

export const token = 'a-token-for-tests-0123456789';
export const actor = 'tester';
export const authorization: string = `Bearer ${token}`;

/** A server on a free port over a real registry. */
export interface Door extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly door: HttpDoor;
  readonly store: TestRegistry;
  readonly registry: Registry;
  /** The log's lines so far. */
  readonly lines: readonly string[];
  /** A request with the token. */
  call(path: string, init?: RequestInit): Promise<Response>;
  json(path: string, body: unknown, method?: string): Promise<Response>;
  newPackage(): Promise<Package>;
  lastSequence(): Promise<number>;
  /** Sends text or bytes as they are on a connection of their own, and collects what comes back until it is closed. */
  raw(...parts: readonly (string | Uint8Array)[]): Promise<string>;
  connect(from?: string): Promise<Socket>;
}

export interface DoorOptions {
  readonly limits?: Partial<Limits>;
  readonly anonymousRead?: boolean;
  readonly prefix?: PrefixOptions;
  readonly logProbes?: boolean;
  /** `x` where absent: requests that a test writes by hand are for it. */
  readonly allowedHosts?: readonly string[];
  /** None where absent. */
  readonly corsOrigins?: readonly string[];
  /** 127.0.0.1 where absent. */
  readonly host?: string;
  /** A free one where absent. */
  readonly port?: number;
  readonly tokens?: readonly { readonly token: string; readonly actor: string }[];
  /** Where the console was built; in this package where absent. */
  readonly consoleDirectory?: URL;
  /** Who callers are; those with `tokens` where absent. */
  readonly identity?: Identity;
  /** Of the registry: another database, for one. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Beside its data, by name: what its environment leads to. */
  readonly files?: Readonly<Record<string, string>>;
  /** Stands before the real registry. */
  wrap?(registry: Registry): Registry;
}

export async function openDoor(options: DoorOptions = {}): Promise<Door> {
  const { tokens = [{ token, actor }] } = options;
  const identity = options.identity ?? (await openIdentity({ tokens }));
  const store = await openTestRegistry(options.environment, options.files, { quotaOf: identity.quotaOf });
  const lines: string[] = [];
  const door = await createServer({
    registryFor: (who) => options.wrap?.(store.as(who)) ?? store.as(who),
    identity,
    secrets: tokens.map((each) => each.token),
    anonymousRead: options.anonymousRead ?? false,
    version: '0.0.0-test',
    log: createLog({ level: 'debug', stream: { write: (line: string) => void lines.push(line) } }),
    ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
    allowedHosts: options.allowedHosts ?? ['x'],
    ...(options.corsOrigins === undefined ? {} : { corsOrigins: options.corsOrigins }),
    ...(options.logProbes === undefined ? {} : { logProbes: options.logProbes }),
    ...(options.consoleDirectory === undefined ? {} : { consoleDirectory: options.consoleDirectory }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const url = await door.listen(options.host ?? '127.0.0.1', options.port ?? 0);
  const port = Number(new URL(url).port);
  const seen = watchAnswers(port, door, options.prefix?.basePath);
  const registry = store.as(actor);
  const call = async (path: string, init: RequestInit = {}): Promise<Response> =>
    await fetch(`${url}${path}`, { ...init, headers: { authorization, ...(init.headers as Record<string, string> | undefined) } });
  const open = async (from = '127.0.0.1'): Promise<Socket> => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return socket;
  };
  return {
    url,
    port,
    door,
    store,
    registry,
    lines,
    call,
    json: (path, body, method = 'POST') =>
      call(path, { method, headers: { 'content-type': 'application/json' }, body: typeof body === 'string' ? body : JSON.stringify(body) }),
    newPackage: async () =>
      (await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' })).record,
    lastSequence: async () => (await registry.events.page({ limit: 1 })).last_sequence,
    async raw(...parts) {
      const socket = await open();
      for (const part of parts) socket.write(part);
      return await drain(socket);
    },
    connect: open,
    async [Symbol.asyncDispose]() {
      await door.close();
      await store.close();
      assert.deepEqual(seen.undescribed(), [], 'the OpenAPI document does not say so');
    },
  };
}

/** Everything that a connection still says until it is closed, well or badly. */
export async function drain(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => {});
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks).toString('latin1');
}

/** Waits until `found` answers something, at once or later. */
export async function until<T>(found: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const value = await found();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The answer is the problem with this code, complete and of the right type. */
export async function assertProblem(response: Response, status: number, code: string): Promise<Record<string, unknown>> {
  const body = (await response.json()) as Record<string, unknown>;
  assert.equal(body.code, code, JSON.stringify(body));
  assert.equal(response.status, status);
  assert.equal(body.status, status);
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  assert.equal(body.request_id, response.headers.get('x-request-id'));
  assert.ok(typeof body.title === 'string' && typeof body.detail === 'string');
  return body;
}
