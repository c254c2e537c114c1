import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { it } from 'node:test';
import fc from 'fast-check';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { formatTimestamp } from '../../../src/kernel/time.ts';
import { chunks, patterned } from '../../../src/registry/conformance/samples.ts';
import type { NewFile } from '../../../src/registry/REGISTRY.ts';
import { type Bounded, openBounded } from '../bounded.ts';

type Step =
  | { readonly kind: 'create'; readonly target: number }
  | { readonly kind: 'finalize'; readonly target: number }
  | { readonly kind: 'abandon'; readonly target: number }
  | Addition
  | { readonly kind: 'bound'; readonly target: number; readonly size: number }
  | { readonly kind: 'collect' };

interface Addition {
  readonly kind: 'add' | 'many' | 'attach';
  readonly target: number;
  readonly path: number;
  readonly size: number;
}

interface ModelPackage {
  readonly id: string;
  readonly producer: string;
  status: 'open' | 'sealed' | 'abandoned';
  /** By path. */
  readonly sizes: Map<string, number>;
}

const producers = ['near', 'far', 'other'];
const small = fc.nat({ max: 5 });
const size = fc.nat({ max: 40 });
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('create' as const, 'finalize', 'abandon'), target: small }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom('add' as const, 'many', 'attach'), target: small, path: small, size }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('bound' as const), target: small, size: fc.integer({ min: 20, max: 120 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'collect' as const }) },
);
/** In which every answer occurs. */
const example: Step[] = [
  { kind: 'create', target: 0 },
  { kind: 'create', target: 1 },
  { kind: 'bound', target: 0, size: 50 },
  { kind: 'add', target: 0, path: 0, size: 30 },
  { kind: 'add', target: 0, path: 0, size: 31 },
  { kind: 'attach', target: 0, path: 1, size: 30 },
  { kind: 'many', target: 0, path: 0, size: 30 },
  { kind: 'many', target: 0, path: 1, size: 10 },
  { kind: 'attach', target: 0, path: 3, size: 33 },
  { kind: 'attach', target: 1, path: 3, size: 30 },
  { kind: 'abandon', target: 0 },
  { kind: 'collect' },
];

it('refuses a request by a quota of bytes just when a model of ten lines does, whatever is done', async () => {
  const seen = new Set<string>();
  const property = fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 40 }), async (sequence) => {
    await using store = await openBounded();
    const packages: ModelPackage[] = [];
    const bounds = new Map<string, number>();
    for (const step of sequence) {
      await perform(store, step, packages, bounds, seen);
      for (const producer of producers) {
        const { used_bytes } = await store.database.read('producer.room', {
          producer,
          package_id: '',
          items: [],
          now: formatTimestamp(Date.now()),
        });
        assert.equal(used_bytes, usedBy(producer, packages));
      }
    }
  });
  const seed = process.env.ARTIFACTSTORE_TEST_SEED;
  await fc.assert(property, {
    numRuns: Number(process.env.ARTIFACTSTORE_TEST_ROUNDS ?? 4),
    examples: [[example]],
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  });
  assert.deepEqual([...seen].sort(), ['done', 'missing', 'path_conflict', 'quota_exceeded']);
});

function usedBy(producer: string, packages: readonly ModelPackage[]): number {
  let used = 0;
  for (const each of packages)
    if (each.producer === producer && each.status !== 'abandoned') for (const bytes of each.sizes.values()) used += bytes;
  return used;
}

async function perform(
  store: Bounded,
  step: Step,
  packages: ModelPackage[],
  bounds: Map<string, number>,
  seen: Set<string>,
): Promise<void> {
  if (step.kind === 'collect') return void (await store.operator.collect());
  const producer = producers[step.target % producers.length]!;
  if (step.kind === 'bound') {
    bounds.set(producer, step.size);
    return store.bound(producer, { maximum_bytes: step.size });
  }
  if (step.kind === 'create') {
    packages.push({ id: await store.create(producer), producer, status: 'open', sizes: new Map() });
    return;
  }
  const open = packages.filter(({ status }) => status === 'open');
  const target = open[step.target % Math.max(1, open.length)];
  if (target === undefined) return;
  if (step.kind === 'finalize') {
    if (target.sizes.size === 0) return;
    await store.registry.packages.finalize(target.id);
    target.status = 'sealed';
  } else if (step.kind === 'abandon') {
    await store.registry.packages.abandon(target.id);
    target.status = 'abandoned';
  } else {
    const used = usedBy(target.producer, packages);
    seen.add(await addTo(store, target, step, used, bounds.get(target.producer)));
  }
}

async function addTo(
  store: Bounded,
  target: ModelPackage,
  step: Addition,
  used: number,
  bound = Number.POSITIVE_INFINITY,
): Promise<string> {
  const wanted = [[`p${step.path}`, step.size] as const, ...(step.kind === 'many' ? [[`p${step.path + 1}`, step.size] as const] : [])];
  const fresh = wanted.filter(([path]) => !target.sizes.has(path));
  const conflict = wanted.some(([path, bytes]) => (target.sizes.get(path) ?? bytes) !== bytes);
  const exceeds = fresh.length > 0 && used + fresh.reduce((sum, [, bytes]) => sum + bytes, 0) > bound;

  const outcome = await request(store, target.id, step.kind, wanted).catch((error: unknown) => {
    if (!isArtifactstoreError(error) || error.code === 'internal') throw error;
    return error.code;
  });
  if (outcome === 'missing') return outcome;
  // Which of the two is said first is not the point.
  if (conflict) assert.ok(outcome === 'path_conflict' || (exceeds && outcome === 'quota_exceeded'), outcome);
  else assert.equal(outcome, exceeds ? 'quota_exceeded' : 'done');
  if (outcome === 'done') for (const [path, bytes] of wanted) target.sizes.set(path, bytes);
  return outcome;
}

async function request(
  { registry: { files } }: Bounded,
  id: string,
  kind: Addition['kind'],
  wanted: readonly (readonly [path: string, bytes: number])[],
): Promise<string> {
  const news = wanted.map(([path, bytes]): NewFile => {
    const body = chunks(patterned(bytes));
    return { relative_path: path, body, ...(bytes % 2 === 0 ? { size_bytes: bytes } : {}) };
  });
  async function* each(): AsyncIterable<NewFile> {
    yield* news;
  }
  if (kind === 'attach') {
    const [relative_path, size_bytes] = wanted[0]!;
    const content_address = `sha256:${hash('sha256', patterned(size_bytes))}`;
    const [attached] = await files.attach(id, [{ relative_path, content_address, size_bytes }]);
    return attached?.result === 'missing' ? 'missing' : 'done';
  }
  if (kind === 'many') await files.addMany(id, each());
  else await files.add(id, news[0]!);
  return 'done';
}
