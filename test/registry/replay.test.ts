import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { formatAddress } from '../../src/kernel/content/address.ts';
import { blake3, sha256, toHex } from '../../src/kernel/content/digest.ts';
import { objectKey } from '../../src/kernel/content/key.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import type { JsonObject, JsonValue } from '../../src/kernel/format/json.ts';
import type { EventPayloads } from '../../src/kernel/log/event.ts';
import type { EventRecord, NewFile } from '../../src/registry/REGISTRY.ts';
import { dumpViews } from './dump-views.ts';
import { localRoot, openTestRegistry, type TestRegistry } from './open-registry.ts';

/** One thing that somebody does to the registry; numbers choose among what there is. */
type Step =
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

const blink = { file: '[retention_classes.blink]\ndefault_duration_seconds = 1\n', milliseconds: 1000 };
const classes = ['blink', 'blink', 'transient', 'permanent-record', 'no-such-class'];
const paths = ['a', 'b/c', 'caf\u00e9', '\uffff', '\u{10000}', 'not//legal'];
const contentCount = 5;

describe('the views', () => {
  it('are the same after live writes as after a replay, byte for byte, whatever was done', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 25 }), async (sequence) => {
        await using store = await openTestRegistry(
          { ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml' },
          { 'retention.toml': blink.file },
        );
        const life = startLife(store);
        for (const step of sequence) await life.run(step);
        assert.equal((await store.operator.verifyEvents()).ok, true);
        const path = databasePath(store);
        const live = dumpViews(path);
        await store.operator.replay();
        assert.deepEqual(dumpViews(path), live);
        const usage = createUsageModel();
        for (let since = 0; ; ) {
          const page = await store.as('reader').events.page({ since, limit: 500 });
          for (const event of page.items) {
            seen.add(event.event_type);
            usage.add(event);
          }
          since = page.items.at(-1)?.sequence ?? page.last_sequence;
          if (since >= page.last_sequence) break;
        }
        assert.deepEqual(
          live.producer_usage?.map((row) => ({ ...(row as object) })),
          usage.sums(),
        );
      }),
      { numRuns: Number(process.env.ARTIFACTSTORE_TEST_ROUNDS ?? 6), examples: [[everything]] },
    );
    assert.deepEqual(
      Object.keys(types).filter((type) => !seen.has(type)),
      [],
      'these events did not occur',
    );
  });
});

/** What each producer has, from the events alone. */
function createUsageModel() {
  const packages = new Map<string, { readonly producer: string; kept: number; files: number; bytes: number }>();
  return {
    add({ event_type, payload: value }: EventRecord): void {
      const payload = value as JsonObject;
      if (event_type === 'v1.package.created')
        packages.set(String(payload.id), { producer: String(payload.producer), kept: 1, files: 0, bytes: 0 });
      const found = packages.get(String(payload.package_id));
      if (found === undefined) return;
      if (event_type === 'v1.file.ingested')
        Object.assign(found, { files: found.files + 1, bytes: found.bytes + Number(payload.size_bytes) });
      if (event_type === 'v1.package.abandoned' || event_type === 'v1.package.garbage_collected') found.kept = 0;
    },
    sums(): readonly object[] {
      return [...Map.groupBy(packages.values(), ({ producer }) => producer)]
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([producer, all]) => ({
          producer,
          packages: all.reduce((sum, { kept }) => sum + kept, 0),
          files: all.reduce((sum, { kept, files }) => sum + kept * files, 0),
          bytes: all.reduce((sum, { kept, bytes }) => sum + kept * bytes, 0),
        }));
    },
  };
}

/** Places are added by moving bytes to another backend: migrate.test.ts. */
const types: Readonly<Record<Exclude<keyof EventPayloads, 'v1.storage.location_added'>, true>> = {
  'v1.package.created': true,
  'v1.file.ingested': true,
  'v1.package.finalized': true,
  'v1.package.abandoned': true,
  'v1.package.garbage_collected': true,
  'v1.retention.default_applied': true,
  'v1.retention.extended': true,
  'v1.retention.hold_applied': true,
  'v1.retention.hold_released': true,
  'v1.retention.marked_eligible': true,
  'v1.retention.eligibility_cleared': true,
  'v1.storage.location_verified': true,
  'v1.storage.location_deleted': true,
  'v1.storage.object_burnt': true,
  'v1.storage.object_repaired': true,
  'v1.metadata_schema.registered': true,
};

/** A sequence in which every type of event occurs. */
const everything: Step[] = [
  { kind: 'schema', slug: 1, required: 0 },
  { kind: 'create', retention: 0, metadata: { build: 1, deep: [{ x: 0.5 }] }, schema: 1, key: 0 },
  { kind: 'create', retention: 1, metadata: { s: '1', n: null }, schema: 0, key: 1 },
  { kind: 'add', target: 0, path: 0, content: 0, declared: 0 },
  { kind: 'add', target: 1, path: 1, content: 0, declared: 1 },
  { kind: 'addMany', target: 1, contents: [1, 2, 2] },
  { kind: 'damage', content: 0, gone: false },
  { kind: 'add', target: 0, path: 3, content: 0, declared: 0 },
  { kind: 'orphan', content: 4, generation: 2 },
  { kind: 'finalize', target: 0 },
  { kind: 'finalize', target: 1 },
  { kind: 'create', retention: 2, metadata: {}, schema: 0, key: 0 },
  { kind: 'attach', target: 2, contents: [0, 3] },
  { kind: 'abandon', target: 2 },
  { kind: 'expire' },
  { kind: 'sweep' },
  { kind: 'hold', target: 0 },
  { kind: 'extend', target: 1 },
  { kind: 'release', target: 0 },
  { kind: 'sweep' },
  { kind: 'verify' },
  { kind: 'collect' },
];

const number = fc.nat({ max: 11 });
const contents = fc.array(number, { minLength: 1, maxLength: 6 });
const single: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('create' as const),
      retention: number,
      metadata: fc.jsonValue({ maxDepth: 2 }),
      schema: number,
      key: number,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('schema' as const), slug: number, required: number }) },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('add' as const), target: number, path: number, content: number, declared: number }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('addMany' as const), target: number, contents }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('attach' as const), target: number, contents }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('finalize' as const, 'abandon', 'hold', 'release', 'extend'), target: number }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('damage' as const), content: number, gone: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('orphan' as const), content: number, generation: fc.nat({ max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('verify' as const, 'sweep', 'collect') }) },
);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: single },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('together' as const), steps: fc.array(single, { minLength: 2, maxLength: 5 }) }) },
);

function startLife(store: TestRegistry): { run(step: Step): Promise<void> } {
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

function databasePath({ config }: TestRegistry): string {
  assert.ok(config.database.kind === 'sqlite');
  return config.database.path;
}

function storageRoot({ config }: TestRegistry): string {
  return localRoot(config);
}
