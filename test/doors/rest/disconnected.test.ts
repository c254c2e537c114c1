import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { bytesBody } from '../../../src/client/wire/body.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import type { NewFile, Registry } from '../../../src/registry/REGISTRY.ts';
import { localRoot } from '../../registry/open-registry.ts';
import { authorization, type Door, drain, openDoor, until } from './open-door.ts';

const sent = Buffer.alloc(100_000, 'sent ');
const sha256 = createHash('sha256').update(sent).digest('hex');

/** What a request is for, as it goes over the wire, and what the registry is asked for with its signal. */
interface Kind {
  readonly what: string;
  readonly asks: string;
  readonly request: () => { readonly line: string; readonly type?: string; readonly body?: string | Buffer; readonly accept?: string };
}

describe('whoever closes the connection before the answer', { timeout: 60_000 }, () => {
  let door: Door;
  let [open, sealed, session, since] = ['', '', '', 0];
  /** Whether what is asked with a signal waits until that is aborted. */
  let holding = false;
  /** What was asked for since the last request, with which signal, and what came of it. */
  let asked: { readonly name: string; readonly signal: AbortSignal | undefined; readonly work: Promise<unknown> }[] = [];

  function hold<T>(name: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const held = holding ? waitFor(signal).then(work) : work();
    held.catch(() => undefined);
    asked.push({ name, signal, work: held });
    return held;
  }

  function wrap(registry: Registry): Registry {
    const { files, writeSessions, events } = registry;
    async function* each(names: AsyncIterable<NewFile>): AsyncGenerator<NewFile> {
      for await (const file of names) yield await hold('files.addMany', file.signal, async () => file);
    }
    return {
      ...registry,
      files: {
        ...files,
        add: (id, file) => hold('files.add', file.signal, () => files.add(id, file)),
        addMany: (id, all) => files.addMany(id, each(all)),
        attach: (id, items, options) => hold('files.attach', options?.signal, () => files.attach(id, items, options)),
        open: (target, options) => hold('files.open', options?.signal, () => files.open(target, options)),
        findMany: async (id, paths, options) =>
          (await files.findMany(id, paths, options)).map((found) => ({
            ...found,
            open: (how) => hold('files.findMany', how?.signal, () => found.open(how)),
          })),
      },
      writeSessions: {
        ...writeSessions,
        put: (id, name, body, options) => hold('writeSessions.put', options?.signal, () => writeSessions.put(id, name, body, options)),
      },
      events: {
        ...events,
        encodedPage: (query, signal) =>
          query?.wait_seconds === undefined
            ? events.encodedPage(query, signal)
            : hold('events.encodedPage', signal, () => events.encodedPage(query, signal)),
      },
    };
  }

  before(async () => {
    door = await openDoor({ wrap, limits: { heartbeat: 1_000 } });
    const { registry } = door;
    sealed = (await door.newPackage()).id;
    await registry.files.add(sealed, { relative_path: 'there', body: bytesBody(Buffer.alloc(300_000, 'there ')) });
    await registry.packages.finalize(sealed);
    open = (await door.newPackage()).id;
    const named = { scope: 's', producer: 'p', subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 60 };
    const objects = [{ name: 'a', sha256, size_bytes: sent.length }];
    session = (await registry.writeSessions.open({ ...named, objects }, { idempotencyKey: 'k' })).record.id;
    since = await door.lastSequence();
  });
  after(() => door[Symbol.asyncDispose]());

  const part = `--b\r\ncontent-disposition: form-data; name="f"; filename="parts"\r\n\r\n${sent}\r\n--b--\r\n`;
  const json = 'application/json';
  const kinds: readonly Kind[] = [
    { what: 'a file', asks: 'files.add', request: () => ({ line: `PUT /packages/${open}/files/put`, body: sent }) },
    {
      what: 'many files',
      asks: 'files.addMany',
      request: () => ({ line: `POST /packages/${open}/files`, type: 'multipart/form-data; boundary=b', body: part }),
    },
    {
      what: 'an attachment',
      asks: 'files.attach',
      request: () => ({
        line: `POST /packages/${open}/files`,
        type: json,
        body: JSON.stringify({ items: [{ relative_path: 'attached', content_address: `sha256:${sha256}`, size_bytes: sent.length }] }),
      }),
    },
    {
      what: 'an object of a write session',
      asks: 'writeSessions.put',
      request: () => ({ line: `PUT /write-sessions/${session}/objects/a`, body: sent }),
    },
    { what: 'the bytes of a file', asks: 'files.open', request: () => ({ line: `GET /packages/${sealed}/files/there` }) },
    { what: 'an archive', asks: 'files.open', request: () => ({ line: `GET /packages/${sealed}/archive` }) },
    {
      what: 'an archive of some files',
      asks: 'files.findMany',
      request: () => ({ line: `POST /packages/${sealed}/archive`, type: json, body: JSON.stringify({ relative_paths: ['there'] }) }),
    },
    { what: 'a wait for events', asks: 'events.encodedPage', request: () => ({ line: `GET /events?since=${since}&wait=1` }) },
    {
      what: 'the stream of events',
      asks: 'events.encodedPage',
      request: () => ({ line: `GET /events?since=${since}`, accept: 'text/event-stream' }),
    },
  ];

  const drafts = () => readdir(join(localRoot(door.store.config), 'drafts')).catch(() => []);

  for (const { what, asks, request } of kinds)
    it(`ends ${what}: nobody is told of an error, and nothing is left`, async () => {
      const [sequence, seen] = [await door.lastSequence(), door.lines.length];
      [holding, asked] = [true, []];
      const socket = await door.connect();
      socket.write(wire(request()));
      const { signal, work } = await until(() => asked.find(({ name }) => name === asks));
      assert.equal(signal?.aborted, false);
      socket.destroy();
      await drain(socket);
      const end = await work.then(
        () => undefined,
        (error: unknown) => error,
      );
      assert.ok(isArtifactstoreError(signal.reason, 'cancelled'), String(signal.reason));
      assert.ok(end === undefined || isArtifactstoreError(end, 'cancelled'), String(end));
      await until(() => door.lines.slice(seen).some((line) => line.includes('"msg":"request"')));
      const told = door.lines.slice(seen).map((line) => JSON.parse(line) as { readonly level: number });
      assert.deepEqual(
        told.filter(({ level }) => level >= 40),
        [],
      );
      assert.equal(await door.lastSequence(), sequence);
      while ((await drafts()).length > 0) await pause(5);
    });

  for (const { what, asks, request } of kinds.slice(0, -1))
    it(`and not when it is answered: ${what}`, async () => {
      [holding, asked] = [false, []];
      const socket = await door.connect();
      socket.write(wire(request()));
      assert.match(await drain(socket), /^HTTP\/1\.1 20[01] /);
      const { signal } = asked.find(({ name }) => name === asks)!;
      assert.equal(signal?.aborted, false);
    });
});

function wire({ line, type, body = '', accept = '*/*' }: ReturnType<Kind['request']>): Buffer {
  const [method, path] = line.split(' ');
  const head = [`${method} ${path} HTTP/1.1`, 'host: x', 'connection: close', `authorization: ${authorization}`, `accept: ${accept}`];
  if (type !== undefined) head.push(`content-type: ${type}`);
  head.push(`content-length: ${Buffer.byteLength(body)}`);
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), Buffer.from(body)]);
}

/** Until it is aborted, or long enough to be none. */
async function waitFor(signal: AbortSignal | undefined): Promise<void> {
  assert.ok(signal !== undefined, 'it was asked without a signal');
  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('the signal was not aborted')), 5_000);
  await (signal.aborted ? undefined : Promise.race([aborted, late]).finally(() => clearTimeout(timer)));
}
