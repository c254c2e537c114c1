import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import type { JsonObject } from '../../../src/kernel/format/json.ts';
import { createMetadataValidator } from '../../../src/registry/metadata/validation.ts';
import { openDoor } from '../../doors/rest/open-door.ts';
import { costlySchemas, manyReferences } from './costly-schemas.ts';

const tokens = ['good', 'bad-0', 'bad-1'].map((actor) => ({ token: `token-of-${actor}-0123456789`, actor }));
const mebibyte = 1_048_576;

test('schemas that cost too much are refused with the bound, beside good ones', async () => {
  const bounds = { quickMilliseconds: 100, quickHeapMebibytes: 32, milliseconds: 300, heapMebibytes: 64, slow: 8, slowOfOne: 4 };
  const validator = createMetadataValidator(() => 0, bounds);
  after(() => validator.close());
  const costly = Object.entries(costlySchemas).map(([name, { schema, metadata }]) =>
    // Which of the two ends it first is a matter of the machine.
    assert.rejects(
      validator.validate(name, name, schema, metadata),
      (error: unknown) =>
        isArtifactstoreError(error, 'metadata_schema_too_costly') &&
        error.field === '/metadata_schema_slug' &&
        ['schema_time 300', 'schema_memory 67108864'].includes(`${error.info?.bound} ${error.info?.limit}`),
    ),
  );
  let good = 0;
  const settled = Promise.all(costly).then(() => true);
  while (!(await Promise.race([settled, false]))) {
    await validator.validate('good', 'good', { required: ['a'] }, { a: 1 });
    good += 1;
  }
  // How many depends on how quick the machine makes new threads for those that were ended.
  assert.ok(good > 0, 'no good one was answered before the last costly one');
});

test('no schema of a writer stops the server, fills its memory or holds up another writer', async () => {
  await using door = await openDoor({ tokens });
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  const ask = async (actor: string, path: string, body: object): Promise<readonly [status: number, code: string, bound: string]> => {
    const { token } = tokens.find((each) => each.actor === actor)!;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const answer = await fetch(`${door.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    const { code, info } = (await answer.json()) as { readonly code?: string; readonly info?: { readonly bound?: string } };
    return [answer.status, code ?? '', info?.bound ?? ''];
  };
  const register = (actor: string, slug: string, json_schema: JsonObject) => ask(actor, '/metadata-schemas', { slug, json_schema });
  const use = (actor: string, slug: string, metadata: JsonObject) => {
    const about = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
    return ask(actor, '/packages', { ...about, metadata, metadata_schema_slug: slug });
  };

  assert.equal((await register('good', 'good', { required: ['a'] }))[0], 201);
  for (const [slug, { schema }] of Object.entries(costlySchemas))
    assert.deepEqual([slug, (await register('good', slug, schema))[0]], [slug, 201]);

  const seen: (readonly [number, string, string])[] = [];
  const attack = async (actor: string): Promise<void> => {
    for (const [slug, { metadata }] of Object.entries(costlySchemas))
      seen.push(...(await Promise.all([1, 2].map(() => use(actor, slug, metadata)))));
    for (let index = 0; index < 3; index++) seen.push(await register(actor, `${actor}-${index}`, manyReferences(700, 200 + index)));
    seen.push(await register(actor, `${actor}-wide`, manyReferences(1, 12_000)));
  };
  let attacking = true;
  const attacks = Promise.all(['bad-0', 'bad-1'].map(attack)).finally(() => {
    attacking = false;
  });
  const took: number[] = [];
  while (attacking) {
    const begun = performance.now();
    assert.equal((await use('good', 'good', { a: 1 }))[0], 201);
    took.push(performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await attacks;
  clearInterval(watch);
  took.sort((a, b) => a - b);
  const figures = `p99 ${took[Math.floor(took.length * 0.99)]} ms of ${took.length}, peak ${peak / mebibyte} MiB, ${JSON.stringify(seen)}`;
  const stated = new Set(['201 ', '422 metadata_schema_too_costly', '503 too_busy']);
  assert.deepEqual(
    [...new Set(seen.map(([status, code]) => `${status} ${code}`))].filter((each) => !stated.has(each)),
    [],
    figures,
  );
  assert.ok(
    seen.some(([, , bound]) => bound === 'schema_time'),
    figures,
  );
  assert.ok(took.length > 20 && took[Math.floor(took.length * 0.9)]! < 10_000, figures);
  // Of this process, which is the attackers and the good client as well.
  assert.ok(peak < 700 * mebibyte, figures);
});

test('a server that is stopped does not wait for a schema', async () => {
  const door = await openDoor({ limits: { graceTimeout: 200 } });
  const { schema, metadata } = costlySchemas.backtracking!;
  await door.registry.metadataSchemas.register({ slug: 'slow', json_schema: schema });
  const about = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
  const used = door.registry.packages.create({ ...about, metadata, metadata_schema_slug: 'slow' });
  const refused = assert.rejects(used, { code: 'cancelled' });
  await new Promise((resolve) => setTimeout(resolve, 100));
  await door[Symbol.asyncDispose]();
  // Waited for, it would be ended by its own bound, and told so.
  await refused;
});
