import assert from 'node:assert/strict';
import { bytesBody } from '../../src/client/connect.ts';
import { type ErrorCode, isArtifactstoreError } from '../../src/kernel/error.ts';
import type { Registry } from '../../src/registry/REGISTRY.ts';

/**
 * One of the soak's writers: it does what producers do, at random, and looks after every file that was acknowledged to
 * it.
 */
export interface Producer {
  /** Works until `count` requests were made; throws what must not happen. */
  run(count: number): Promise<void>;
  /** Files that must still be there when everything is over. */
  kept(): readonly KeptFile[];
  readonly done: Readonly<Record<string, number>>;
  requests(): number;
}

export interface KeptFile {
  readonly package_id: string;
  readonly relative_path: string;
  readonly content: number;
}

interface OpenPackage {
  readonly id: string;
  /** Expires at once; what is in it may go as soon as it is sealed. */
  readonly fleeting: boolean;
  readonly files: Map<string, number>;
  sealed: boolean;
  given_up: boolean;
  hold: string | undefined;
}

/**
 * The bytes of a content: few of them, so that packages share objects. What goes soon and what stays have contents of
 * their own, but for one in fifty: so objects die and come back all the time.
 */
export function contentBytes(content: number): Buffer {
  return Buffer.from(`content ${content} `.repeat(1 + (content % 50)));
}

export function createProducer(remote: Registry, name: string, random: () => number, contents: number): Producer {
  let requests = 0;
  const registry = counting(remote, () => {
    requests += 1;
  });
  const packages: OpenPackage[] = [];
  const done: Record<string, number> = {};
  let paths = 0;

  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
  const content = ({ fleeting }: OpenPackage) => Math.floor(random() * contents) + (fleeting || random() < 0.02 ? 0 : contents);
  const open = () => packages.filter((each) => !each.sealed && !each.given_up);

  async function create(): Promise<void> {
    const fleeting = random() < 0.6;
    const { record } = await registry.packages.create({
      name: `${name} ${packages.length}`,
      producer: name,
      subject: 'soak',
      retention_class: fleeting ? 'blink' : 'transient',
    });
    packages.push({ id: record.id, fleeting, files: new Map(), sealed: false, given_up: false, hold: undefined });
    if (packages.length > 200) packages.splice(0, packages.findIndex((each) => !each.fleeting || each.hold !== undefined) === 0 ? 0 : 1);
  }

  async function add(): Promise<void> {
    if (open().length === 0) await create();
    const target = pick(open())!;
    const relative_path = `f${paths++}`;
    const which = content(target);
    const { record } = await registry.files.add(target.id, { relative_path, body: bytesBody(contentBytes(which)) });
    target.files.set(relative_path, which);
    if (random() < 0.3) await read(target, record.relative_path);
  }

  async function addMany(): Promise<void> {
    const target = pick(open());
    if (target === undefined) return await create();
    const files = Array.from({ length: 1 + Math.floor(random() * 8) }, () => ({ relative_path: `m${paths++}`, which: content(target) }));
    await registry.files.addMany(
      target.id,
      (async function* () {
        for (const { relative_path, which } of files) yield { relative_path, body: bytesBody(contentBytes(which)) };
      })(),
    );
    for (const { relative_path, which } of files) target.files.set(relative_path, which);
  }

  /** Takes over bytes of a file that is known: it may be collected at this very moment, and then they are sent. */
  async function attach(): Promise<void> {
    const target = pick(open());
    const source = pick(packages);
    const known = source === undefined ? undefined : pick([...source.files.keys()]);
    if (target === undefined || source === undefined || known === undefined) return await create();
    const record = await registry.files.find(source.id, known);
    if (record === undefined) return;
    const relative_path = `a${paths++}`;
    const { content_address, size_bytes } = record;
    const [answer] = await registry.files.attach(target.id, [{ relative_path, content_address, size_bytes }]);
    const which = source.files.get(known)!;
    if (answer!.result === 'missing') await registry.files.add(target.id, { relative_path, body: bytesBody(contentBytes(which)) });
    target.files.set(relative_path, which);
    await read(target, relative_path);
  }

  async function finalize(): Promise<void> {
    const target = pick(open().filter((each) => each.files.size > 0));
    if (target === undefined) return await create();
    await registry.packages.finalize(target.id);
    target.sealed = true;
  }

  async function abandon(): Promise<void> {
    const target = pick(open());
    if (target === undefined) return await create();
    if (target.hold !== undefined)
      return await assert.rejects(registry.packages.abandon(target.id), (error) => isArtifactstoreError(error, 'package_held'));
    target.given_up = true;
    await registry.packages.abandon(target.id);
  }

  async function hold(): Promise<void> {
    const target = pick(packages.filter((each) => !each.given_up && each.hold === undefined));
    if (target === undefined) return await create();
    // A fleeting package may be collected before the hold comes: that is the client's own race.
    const applied = await tolerate(['package_collected'], registry.retention.hold(target.id, { reason: 'soak' }));
    if (applied !== undefined) target.hold = applied.id;
  }

  async function release(): Promise<void> {
    const target = pick(packages.filter((each) => each.hold !== undefined));
    if (target === undefined) return await create();
    const id = target.hold!;
    target.hold = undefined;
    await registry.retention.release(target.id, id);
  }

  async function readAny(): Promise<void> {
    const target = pick(packages);
    const path = target === undefined ? undefined : pick([...target.files.keys()]);
    if (target === undefined || path === undefined) return await create();
    await read(target, path);
  }

  /** Right bytes, or `package_collected` where that may be; anything else is what this is all about. */
  async function read(target: OpenPackage, relative_path: string): Promise<void> {
    const mayGo = () => target.given_up || (target.fleeting && target.sealed && target.hold === undefined);
    const before = mayGo();
    const bytes = await tolerate(
      before ? ['package_collected'] : [],
      (async () => {
        const opened = await registry.files.open({ package_id: target.id, relative_path });
        assert.ok(opened !== undefined, `${target.id} ${relative_path} is not there`);
        const parts: Uint8Array[] = [];
        for await (const chunk of opened.body) parts.push(Buffer.from(chunk));
        return Buffer.concat(parts);
      })(),
    );
    if (bytes !== undefined) assert.ok(bytes.equals(contentBytes(target.files.get(relative_path)!)), 'other bytes than were stored');
  }

  const weighted: readonly (readonly [number, string, () => Promise<void>])[] = [
    [8, 'create', create],
    [32, 'add', add],
    [8, 'add many', addMany],
    [14, 'attach', attach],
    [8, 'finalize', finalize],
    [3, 'abandon', abandon],
    [2, 'hold', hold],
    [2, 'release', release],
    [23, 'read', readAny],
  ];
  const total = weighted.reduce((sum, [weight]) => sum + weight, 0);

  function choose(): readonly [string, () => Promise<void>] {
    let left = random() * total;
    for (const [weight, title, step] of weighted) {
      left -= weight;
      if (left < 0) return [title, step];
    }
    return ['create', create];
  }

  return {
    done,
    requests: () => requests,
    async run(count) {
      while (requests < count) {
        const [title, step] = choose();
        await step().catch((error: unknown) => {
          throw new Error(`${name}, request ${requests} (${title}): ${String(error)}`, { cause: error });
        });
        done[title] = (done[title] ?? 0) + 1;
      }
    },
    kept: () =>
      packages
        .filter((each) => !each.given_up && (!each.fleeting || !each.sealed || each.hold !== undefined))
        .flatMap((each) => [...each.files].map(([relative_path, which]) => ({ package_id: each.id, relative_path, content: which }))),
  };
}

/** The same registry, telling of every call of a facet. */
function counting(registry: Registry, onCall: () => void): Registry {
  const facets = Object.entries(registry).map(([facet, methods]) => [
    facet,
    typeof methods === 'function'
      ? methods
      : Object.fromEntries(
          Object.entries(methods as Readonly<Record<string, (...parameters: unknown[]) => unknown>>).map(([name, method]) => [
            name,
            (...parameters: unknown[]) => {
              onCall();
              return method(...parameters);
            },
          ]),
        ),
  ]);
  return Object.fromEntries(facets) as Registry;
}

async function tolerate<T>(codes: readonly ErrorCode[], promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isArtifactstoreError(error) && codes.includes(error.code)) return undefined;
    throw error;
  }
}
