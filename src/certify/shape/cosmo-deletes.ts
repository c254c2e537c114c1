import { randomUUID } from 'node:crypto';
import { forEachLimited } from '../../runtime/limit.ts';
import { demand, fail, pass } from '../probe.ts';
import { isThere, put, told } from '../steps.ts';
import type { Reply } from '../wire.ts';
import type { Check, CheckFinding, Ground } from './check.ts';
import { deletedBy, deletingMany, type Generation, listing, pageIn } from './cosmo-calls.ts';

const individually = 'set S3_USE_INDIVIDUAL_DELETES=true for the controlplane (since August 2025), or use another version of the store';
const noDeletion = 'graphs, namespaces and organizations cannot be deleted';

/** What the controlplane needs when it deletes. */
export const cosmoDeletes: readonly Check[] = [
  {
    id: 'cosmo.delete',
    title: 'DeleteObject is answered exactly 204, also for a missing key',
    consequence: 'the controlplane takes the delete of a draft for a failure, and with it the publishing of a graph',
    remedy: 'use another store, or another version of this one',
    async run(ground) {
      const key = ground.key('routerconfigs/draft.json');
      await put(ground, key, '{}');
      const deleting = { method: 'DELETE', key, query: { 'x-id': 'DeleteObject' } };
      const first = await ground.wire.send(deleting);
      const again = await ground.wire.send(deleting);
      if (first.status === 204 && again.status === 204) return pass('204');
      return fail(`the delete ${told(first)}, and that of what is missing ${told(again)}`);
    },
  },
  bulk('cosmo.delete-many', 'crc32', `${noDeletion} by images since 25 February 2026`),
  bulk('cosmo.delete-many-before', 'md5', `${noDeletion} by images before 25 February 2026`),
  {
    id: 'cosmo.delete-graph',
    title: 'more than 1,000 keys of a prefix without a slash are deleted page by page, and a neighbour stays',
    consequence: 'artifacts of a deleted graph or client stay, or those of another go with them',
    remedy: 'use another version of the store; until then look for what stays under the prefix of what was deleted',
    run: deletesGraph,
  },
];

function bulk(id: string, generation: Generation, consequence: string): Check {
  const digest = generation === 'md5' ? 'Content-MD5' : 'CRC32';
  return {
    id,
    title: `DeleteObjects with nothing but a ${digest} of its body deletes, and says what`,
    consequence,
    remedy: individually,
    async run(ground) {
      const keys = ['a', 'b', 'c'].map((name) => ground.key(`operations/${name}.json`));
      for (const key of [...keys, ground.key('stays')]) await put(ground, key, '{}');
      const reply = await ground.wire.send(deletingMany(keys, generation));
      const deleted = deletedBy(reply);
      if (deleted === undefined) return fail(told(reply));
      if (deleted !== keys.length) return fail(`it says ${deleted} of ${keys.length} were deleted`);
      for (const key of keys) demand(!(await isThere(ground, key)), 'one of them is still there');
      demand(await isThere(ground, ground.key('stays')), 'another key is gone too');
      return pass('3 of 3');
    },
  };
}

/**
 * As the controlplane does it: a page is deleted before the next one is asked for, by the token of the page before. Its
 * prefixes end without a slash, so that the client `web` takes the client `webapp` with it. The keys of that one come
 * after the first page, which some stores forget.
 */
async function deletesGraph(ground: Ground): Promise<CheckFinding> {
  const organization = randomUUID();
  const graph = `${organization}/${randomUUID()}`;
  const elsewhere = [`${organization}/${randomUUID()}/routerconfigs/latest.json`, `${graph}/operations/mobile/1.json`];
  const neighbours = elsewhere.map((name) => ground.key(name));
  const clientOf = (index: number): string => (index < longName ? 'webapp' : 'web');
  const keys = Array.from({ length: graphKeys }, (_, index) => ground.key(`${graph}/operations/${clientOf(index)}/${index}.json`));
  for (const neighbour of neighbours) await put(ground, neighbour, '{}');
  await forEachLimited(keys, 16, async (key) => void (await put(ground, key, '{}')));
  const prefix = `${ground.prefix}${graph}/operations/web`;
  let token: string | undefined;
  let pages = 0;
  let deleted = 0;
  let way: Way = 'crc32';
  do {
    const reply = await ground.wire.send(listing(prefix, token));
    demand(reply.status === 200, `page ${pages + 1} of the list ${told(reply)}`);
    const page = pageIn(reply);
    pages += 1;
    demand(page.keys.length <= 1000, `a page has ${page.keys.length} keys, and DeleteObjects takes 1,000`);
    const odd = page.keys.filter((key) => !key.startsWith(prefix));
    demand(odd.length === 0, `the list shows ${odd.length} keys that do not have its prefix`);
    if (page.keys.length > 0) way = await deletePage(ground, page.keys, way);
    deleted += page.keys.length;
    demand(page.token === undefined || (page.token !== '' && page.token !== token), 'a page that is not the last has no token of its own');
    token = page.token;
  } while (token !== undefined && pages < mostPages);
  const found: Reply = await ground.wire.send(listing(prefix));
  demand(found.status === 200, `the list after it ${told(found)}`);
  const stayed = pageIn(found).keys.length;
  for (const neighbour of neighbours) demand(await isThere(ground, neighbour), 'an artifact of another graph or client is gone too');
  if (stayed > 0 || deleted !== graphKeys)
    return fail(`${deleted} of ${graphKeys} were listed and deleted in ${pages} pages; ${stayed} or more stayed`);
  return pass(`${graphKeys} in ${pages} pages, ${wayWords[way]}`);
}

type Way = Generation | 'individually';

/** The next way where the store does not take this one: that is another check's finding. */
async function deletePage(ground: Ground, keys: readonly string[], way: Way): Promise<Way> {
  if (way === 'individually') {
    await forEachLimited(keys, 10, async (key) => void (await ground.wire.send({ method: 'DELETE', key })));
    return way;
  }
  const reply = await ground.wire.send(deletingMany(keys, way));
  const deleted = deletedBy(reply);
  if (deleted === undefined) return await deletePage(ground, keys, way === 'crc32' ? 'md5' : 'individually');
  demand(deleted === keys.length, `of ${keys.length} keys of a page ${deleted} were deleted`);
  return way;
}

const wayWords: { readonly [W in Way]: string } = { crc32: 'by CRC32', md5: 'by Content-MD5', individually: 'one by one' };
const graphKeys = 1205;
/** How many of them are of the client with the longer name. */
const longName = 5;
/** More than any store makes of them. */
const mostPages = 100;
