import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type fc from 'fast-check';
import { formatAddress } from '../../src/kernel/content/address.ts';
import { blake3, sha256, toHex } from '../../src/kernel/content/digest.ts';
import { objectKey } from '../../src/kernel/content/key.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import type { JsonObject, JsonValue } from '../../src/kernel/format/json.ts';
import type { NewFile } from '../../src/registry/REGISTRY.ts';
import { localRoot, type TestRegistry } from './open-registry.ts';

/** One thing that somebody does to the registry; numbers choose among what there is. */
export type Step =
  | { readonly kind: 'create'; readonly retention: number; readonly metadata: fc.JsonValue; readonly schema: number; readonly key: number }
  | { readonly kind: 'schema'; readonly slug: number; readonly required: number }
  | { readonly kind: 'add'; readonly target: number; readonly path: number; readonly content: number; readonly declared: number }
  | { readonly kind: 'addMany'; readonly target: number; readonly contents: readonly number[] }
  | { readonly kind: 'attach'; readonly target: number; readonly contents: readonly number[] }
  | { readonly kind: 'finalize' | 'abandon' | 'hold' | 'release' | 'extend'; readonly target: number }
  | { readonly kind: 'damage'; readonly content: number; readonly gone: boolean }
  | { readonly kind: 'orphan'; readonly content: number; readonly generation: number }
  | { readonly kind: 'verify' | 'sweep' | 'collect' | 'expire' }
  | { readonly kind: 'together'; readonly steps: readonly Step[] };

/** The retention class that ends while the test runs: its file, and how long it keeps. */
export const blink = { file: '[retention_classes.blink]\ndefault_duration_seconds = 1\n', milliseconds: 1000 };
const classes = ['blink', 'blink', 'transient', 'permanent-record', 'no-such-class'];
const paths = ['a', 'b/c', 'caf\u00e9', '\uffff', '\u{10000}', 'not//legal'];
const contentCount = 5;

/** Does steps to a registry, one after another or together. */
export function startLife(store: TestRegistry): { run(step: Step): Promise<void> } {
  const registry = store.as('somebody');
  const packages: string[] = [];
  const holds: { readonly package_id: string; readonly id: string }[] = [];
  let newestBlink = 0;
  const pick = (target: number) => packages[target % Math.max(packages.length, 1)] ?? crypto.randomUUID();

  async function perform(step: Step): Promise<unknown> {
    switch (step.kind) {
      case 'create': {
        const retention_class = classes[step.retention % classes.length]!;
        const { metadata } = step;
        const { record } = await registry.packages.create(
          {
            name: 'n',
            producer: `p${step.key % 2}`,
            subject: 's',
            retention_class,
            metadata:
              metadata !== null && typeof metadata === 'object' && !Array.isArray(metadata)
                ? (metadata as JsonObject)
                : { value: metadata as JsonValue },
            metadata_schema_slug: step.schema % 3 === 1 ? `schema-${step.schema % 2}` : null,
          },
          step.key > 8 ? { idempotencyKey: `key-${step.key}` } : {},
        );
        if (retention_class === 'blink') newestBlink = Date.parse(record.created_at);
        return packages.push(record.id);
      }
      case 'schema':
        return await registry.metadataSchemas.register({
          slug: `schema-${step.slug % 2}`,
          json_schema: { type: 'object', required: step.required % 2 === 0 ? [] : ['build'] },
        });
      case 'add':
        return await registry.files.add(pick(step.target), newFile(paths[step.path % paths.length]!, step.content, step.declared));
      case 'addMany': {
        async function* files() {
          for (const [index, content] of (step as { contents: readonly number[] }).contents.entries())
            yield newFile(`many ${index}`, content, 0);
        }
        return await registry.files.addMany(pick(step.target), files());
      }
      case 'attach':
        return await registry.files.attach(
          pick(step.target),
          step.contents.map((content, index) => ({
            relative_path: `attached ${index}`,
            content_address:
              content % 2 === 0 ? formatAddress('blake3', blake3(bytesOf(content))) : formatAddress('sha256', sha256(bytesOf(content))),
            size_bytes: bytesOf(content).length,
          })),
        );
      case 'finalize':
        return await registry.packages.finalize(pick(step.target));
      case 'abandon':
        return await registry.packages.abandon(pick(step.target));
      case 'hold': {
        const package_id = pick(step.target);
        const { id } = await registry.retention.hold(package_id, { reason: 'audit' });
        return holds.push({ package_id, id });
      }
      case 'release': {
        const hold = holds[step.target % Math.max(holds.length, 1)];
        return hold === undefined ? undefined : await registry.retention.release(hold.package_id, hold.id, { reason: 'done' });
      }
      case 'extend': {
        const id = pick(step.target);
        return await registry.retention.extend(id, { new_expires_at: step.target > 8 ? null : '2099-01-01T00:00:00Z', reason: 'because' });
      }
      case 'damage':
        return await damage(step.content, step.gone);
      case 'orphan': {
        const path = join(storageRoot(store), objectKey(formatAddress('blake3', blake3(bytesOf(step.content))), step.generation));
        await mkdir(dirname(path), { recursive: true });
        return await writeFile(path, bytesOf(step.content), { flag: 'wx' }).catch(() => undefined);
      }
      case 'verify':
        return await store.operator.verifyStorage('local', { restart: true });
      case 'sweep':
        return await store.operator.sweep();
      case 'collect':
        return await store.operator.collect({ draftAgeSeconds: 3600 });
      case 'expire':
        return await sleep(Math.max(0, newestBlink + blink.milliseconds + 5 - Date.now()));
      case 'together':
        return await Promise.all(step.steps.map(run));
    }
  }

  /** The bytes change on the disk, and a reader finds it. */
  async function damage(content: number, gone: boolean): Promise<void> {
    await store.operator.settleHeld();
    const { items } = await registry.files.withDigest(formatAddress('blake3', blake3(bytesOf(content))), { limit: 1000 });
    const file = items.find(({ locations }) => locations.some(({ state }) => state === 'stored' || state === 'verified'));
    if (file === undefined) return;
    const path = join(storageRoot(store), file.locations[0]!.object_key);
    if (gone) await rm(path, { force: true });
    else {
      const bytes = await readFile(path);
      bytes[0]! ^= 1;
      await writeFile(path, bytes);
    }
    const opened = await registry.files.open({ file_id: file.id });
    for await (const _ of opened!.body);
  }

  /** Refusals are part of life; they must change nothing. */
  async function run(step: Step): Promise<void> {
    try {
      await perform(step);
    } catch (error) {
      const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!gone && (!isArtifactstoreError(error) || error.code === 'internal')) throw error;
    }
  }
  return { run };
}

function newFile(relative_path: string, content: number, declared: number): NewFile {
  const bytes = bytesOf(content);
  async function* body() {
    yield bytes;
  }
  return {
    relative_path,
    body: body(),
    ...(declared % 4 === 1 ? { digests: new Map([['sha256', sha256(bytes)]]), annotations: { mode: 'executable' } } : {}),
    ...(declared % 4 === 2 ? { digests: new Map([['sha256', sha256(bytesOf(content + 1))]]) } : {}),
    ...(declared % 4 === 3 ? { size_bytes: bytes.length + 1, media_type: 'text/plain' } : {}),
  };
}

function bytesOf(content: number): Uint8Array {
  return Buffer.from(`content ${toHex(new Uint8Array([content % contentCount]))}`);
}

function storageRoot({ config }: TestRegistry): string {
  return localRoot(config);
}
