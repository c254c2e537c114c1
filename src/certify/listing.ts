import { forEachLimited } from '../runtime/limit.ts';
import { demand, differs, fail, type Probe, type ProbeContext, pass } from './probe.ts';
import { list, listAll, put, remove } from './steps.ts';

const family = 'listing';
const collection =
  'a collection compares the list with the log: what a list leaves out is never cleaned up, what it shows too much is burnt';

export const listing: readonly Probe[] = [
  {
    id: 'listing.after-write',
    family,
    title: 'a new object is listed at once',
    why: collection,
    async run(context) {
      for (let round = 1; round <= rounds; round++) {
        await put(context, context.key(String(round)), 'x');
        const { keys } = await listAll(context, context.prefix);
        demand(keys.length === round, `after write ${round} the list shows ${keys.length}`);
      }
      return pass(`${rounds} rounds`);
    },
  },
  {
    id: 'listing.after-delete',
    family,
    title: 'a deleted object is listed no longer',
    why: collection,
    async run(context) {
      const names = Array.from({ length: rounds }, (_, index) => String(index));
      for (const name of names) await put(context, context.key(name), 'x');
      for (const [index, name] of names.entries()) {
        await remove(context, context.key(name));
        const { keys } = await listAll(context, context.prefix);
        demand(!keys.includes(context.key(name)), `after delete ${index + 1} it is still listed`);
        demand(keys.length === rounds - index - 1, `after delete ${index + 1} the list shows ${keys.length}`);
      }
      return pass(`${rounds} rounds`);
    },
  },
  {
    id: 'listing.size',
    family,
    title: 'a list tells the length of each object',
    why: 'bytes in the store are counted by it',
    async run(context) {
      await put(context, context.key(), context.bytes(1234));
      const { sizes } = await list(context, { prefix: context.prefix });
      return sizes.length === 1 && sizes[0] === 1234 ? pass('1,234') : fail(sizes.join(', ') || 'it shows nothing');
    },
  },
  {
    id: 'listing.prefix',
    family,
    title: 'a prefix is compared letter by letter',
    why: 'several registries may share a bucket, each under its prefix',
    async run(context) {
      await fill(context, ['a/1', 'a/2', 'ab', 'b']);
      return same((await listAll(context, `${context.prefix}a`)).keys, named(context, ['a/1', 'a/2', 'ab']));
    },
  },
  {
    id: 'listing.nothing',
    family,
    title: 'a prefix under which nothing lies gives an empty list',
    why: collection,
    async run(context) {
      return same((await listAll(context, `${context.prefix}nothing/`)).keys, []);
    },
  },
  {
    id: 'listing.delimiter',
    family,
    title: 'a delimiter gives folders',
    why: 'people and other tools browse by them',
    async run(context) {
      await fill(context, ['a/1', 'a/2', 'b/c/3', 'd']);
      const { keys, prefixes } = await list(context, { prefix: context.prefix, delimiter: '/' });
      return same([...keys, ...prefixes], named(context, ['d', 'a/', 'b/']));
    },
  },
  {
    id: 'listing.start-after',
    family,
    title: 'start-after continues after a key',
    why: 'a long list that was stopped is resumed',
    async run(context) {
      await fill(context, ['a', 'b', 'c']);
      const { keys } = await list(context, { prefix: context.prefix, 'start-after': context.key('a') });
      return same(keys, named(context, ['b', 'c']));
    },
  },
  {
    id: 'listing.order',
    family,
    title: 'keys come in the order of their bytes',
    why: 'lists are merged with the log in one pass',
    async run(context) {
      const names = ['b', 'a', 'B', '1', 'a-', 'a/', 'aa', 'é', 'z'];
      await fill(context, names);
      const { keys } = await listAll(context, context.prefix);
      const sorted = named(context, names).toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
      demand(keys.length === names.length, `the list shows ${keys.length} of ${names.length}`);
      return keys.join('\n') === sorted.join('\n')
        ? pass('they do')
        : differs(`they come as ${keys.map((key) => key.slice(context.prefix.length)).join(' ')}`);
    },
  },
  {
    id: 'listing.pages',
    family,
    title: 'a list in pages shows every key once',
    why: collection,
    async run(context) {
      const names = Array.from({ length: 7 }, (_, index) => `k${index}`);
      await fill(context, names);
      const { keys, pages } = await listAll(context, context.prefix, 2);
      demand(pages >= 4, `max-keys=2 gave ${pages} pages of 7 keys`);
      return same(keys, named(context, names));
    },
  },
  {
    id: 'listing.pages-with-changes',
    family,
    title: 'keys that stay are listed once while others come and go between pages',
    why: 'a store is listed while it is written to',
    async run(context) {
      const stay = ['b', 'd', 'f', 'h'];
      await fill(context, [...stay, 'c']);
      const first = await list(context, { prefix: context.prefix, 'max-keys': '2' });
      await fill(context, ['a', 'g']);
      await remove(context, context.key('c'));
      const seen = [...first.keys];
      for (let token = first.token; token !== undefined; ) {
        const page = await list(context, { prefix: context.prefix, 'max-keys': '2', 'continuation-token': token });
        seen.push(...page.keys);
        token = page.truncated ? page.token : undefined;
      }
      return same(
        seen.filter((key) => named(context, stay).includes(key)),
        named(context, stay),
      );
    },
  },
  {
    id: 'listing.over-1000',
    family,
    title: 'a list continues past 1,000 keys',
    why: collection,
    async run(context) {
      const names = Array.from({ length: 1001 }, (_, index) => `k${String(index).padStart(4, '0')}`);
      await forEachLimited(names, 24, async (name) => void (await put(context, context.key(name), '')));
      const { keys, pages } = await listAll(context, context.prefix);
      demand(new Set(keys).size === 1001 && keys.length === 1001, `1,001 were written, the list shows ${keys.length} in ${pages} pages`);
      return pass(`1,001 in ${pages} pages`);
    },
  },
];

async function fill(context: ProbeContext, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => put(context, context.key(name), 'x')));
}

function named(context: ProbeContext, names: readonly string[]): readonly string[] {
  return names.map((name) => `${context.prefix}${name}`);
}

function same(found: readonly string[], expected: readonly string[]) {
  const right = found.toSorted().join('\n') === expected.toSorted().join('\n');
  return right ? pass(`${found.length} of ${expected.length}`) : fail(`${found.length} entries, not the ${expected.length} that there are`);
}

const rounds = 4;
