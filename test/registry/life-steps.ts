import fc from 'fast-check';
import type { Step } from './life.ts';

/** A sequence in which every type of event occurs. */
export const everything: Step[] = [
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
/** Any step, or some at the same time. */
export const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: single },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('together' as const), steps: fc.array(single, { minLength: 2, maxLength: 5 }) }) },
);
