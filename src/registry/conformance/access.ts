import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { allows, type Grant, type Principal, type ProducerPattern, type Right, type Role } from '../../kernel/access.ts';
import { isArtifactstoreError } from '../../kernel/error.ts';
import type { Registry } from '../REGISTRY.ts';
import { chunks, collect, refuses, samples, unique } from './samples.ts';

export interface OpenedForMany {
  as(principal: Principal): Registry;
  close(): Promise<void>;
}

/** A package with a file and a hold; whoever may write may open another one. */
interface Subject {
  readonly id: string;
  readonly producer: string;
  readonly fileId: string;
  readonly holdId: string;
  readonly text: string;
}

/** What a method is about: one package, or what a list shows of it; and the right that it asks for. */
interface Act {
  readonly right: Right;
  /** Gives undefined for what is not there; a list gives whether the subject is in it. */
  act(registry: Registry, subject: Subject): Promise<unknown>;
}

/** The suites of uploads and of write sessions ask who may do what with those. */
type Doors = Required<Omit<Registry, 'uploads' | 'writeSessions'>>;
type Facet = { [F in keyof Doors]: Doors[F] extends (...parameters: never) => unknown ? never : F }[keyof Doors];
type Acts = { readonly [F in Facet]: { readonly [M in keyof Doors[F]]: Act | 'for everybody' | 'tested by itself' } };

const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const reading = (act: Act['act']): Act => ({ right: 'read', act });
const writing = (act: Act['act']): Act => ({ right: 'write', act });
const keeping = (act: Act['act']): Act => ({ right: 'keep', act });

/** Every method of the door: a new one does not compile without its row. */
const acts: Acts = {
  packages: {
    create: writing(({ packages }, { producer }) =>
      packages.create({ name: 'n', producer, subject: 'access', retention_class: 'transient' }),
    ),
    get: reading(({ packages }, { id }) => packages.get(id)),
    list: reading(async ({ packages }, { id, producer }) => {
      const found = await Promise.all([packages.list({ limit: 1000 }), packages.list({ producer, limit: 1000 })]);
      const seen = found.map(({ items }) => items.some((item) => item.id === id));
      assert.equal(seen[0], seen[1]);
      return seen[0] === true ? id : undefined;
    }),
    encodedList: reading(async ({ packages }, { id, producer }) =>
      Buffer.from((await packages.encodedList({ producer, limit: 1000 })).json).includes(id) ? id : undefined,
    ),
    manifest: reading(async ({ packages }, { id }) => {
      try {
        return await packages.manifest(id);
      } catch (error) {
        if (isArtifactstoreError(error, 'package_not_finalized')) return 'not sealed';
        throw error;
      }
    }),
    finalize: writing(({ packages }, { id }) => packages.finalize(id)),
    abandon: writing(({ packages }, { id }) => packages.abandon(id)),
  },
  files: {
    add: writing(({ files }, { id }) => files.add(id, { relative_path: 'added', body: chunks('added') })),
    addMany: writing(({ files }, { id }) =>
      files.addMany(
        id,
        (async function* () {
          yield { relative_path: 'many', body: chunks('many') };
        })(),
      ),
    ),
    attach: writing(({ files }, { id, text }) =>
      files.attach(id, [{ relative_path: 'attached', content_address: digestOf(text), size_bytes: text.length }]),
    ),
    list: reading(({ files }, { id }) => files.list(id)),
    encodedList: reading(({ files }, { id }) => files.encodedList(id)),
    get: reading(({ files }, { fileId }) => files.get(fileId)),
    find: reading(({ files }, { id }) => files.find(id, 'own')),
    findMany: reading(({ files }, { id }) => files.findMany(id, ['own'])),
    withDigest: reading(async ({ files }, { text }) => (await files.withDigest(digestOf(text))).items[0]),
    encodedWithDigest: reading(async ({ files }, { text }) => {
      const page = await files.encodedWithDigest(digestOf(text));
      return page.item_count === 0 ? undefined : page;
    }),
    stat: reading(({ files }, { text }) => files.stat({ content_address: digestOf(text) })),
    open: reading(async ({ files }, { fileId, id, text }) => {
      const targets = [{ file_id: fileId }, { package_id: id, relative_path: 'own' }, { content_address: digestOf(text) }];
      const opened = await Promise.all(targets.map((target) => files.open(target)));
      const texts = await Promise.all(opened.map(async (file) => (file === undefined ? undefined : String(await collect(file.body)))));
      assert.equal(new Set(texts).size, 1);
      return texts[0];
    }),
  },
  events: { page: 'tested by itself', encodedPage: 'tested by itself' },
  metadataSchemas: { register: 'for everybody', get: 'for everybody', list: 'for everybody' },
  producers: {
    list: reading(async ({ producers, packages }, { id, producer }) => {
      const { items } = await producers.list({ limit: 1000 });
      const listed = items.some((item) => item.producer === producer);
      return listed ? await packages.get(id) : undefined;
    }),
  },
  retention: {
    classes: 'for everybody',
    expiring: 'tested by itself',
    show: reading(({ retention }, { id }) => retention.show(id)),
    extend: keeping(({ retention }, { id }) => retention.extend(id, { extend_by_seconds: 1, reason: 'longer' })),
    hold: keeping(({ retention }, { id }) => retention.hold(id, { reason: 'kept' })),
    release: keeping(({ retention }, { id, holdId }) => retention.release(id, holdId)),
  },
};

const absent: ReadonlySet<string> = new Set(['package_not_found', 'file_not_found', 'object_not_found']);

/** What happened: nothing there, not allowed, or whatever else. */
async function outcomeOf(act: () => Promise<unknown>): Promise<string> {
  try {
    return (await act()) === undefined ? 'absent' : 'done';
  } catch (error) {
    if (!isArtifactstoreError(error)) throw error;
    if (error.code === 'forbidden') return `forbidden: ${error.info?.right}`;
    return absent.has(error.code) ? 'absent' : 'done';
  }
}

/** What every implementation of the door must do for principals of any grants. Run it from a test file. */
export function accessConformance(name: string, open: () => Promise<OpenedForMany>): void {
  describe(`access conformance: ${name}`, () => {
    let opened: OpenedForMany;
    before(async () => {
      opened = await open();
    });
    after(() => opened.close());

    const grant = (role: Role, ...producers: ProducerPattern[]): Grant => ({ role, producers });
    const of = (...grants: Grant[]): Principal => ({ actor: 'who', share: 'who', grants });
    const everything = of(grant('admin', { glob: '*' }));

    async function newSubject(): Promise<Subject> {
      const { create, add } = samples(() => opened.as(everything));
      const { id, producer } = await create();
      const text = unique('bytes of');
      const file = (await add(id, 'own', text)).record;
      const hold = await opened.as(everything).retention.hold(id, { reason: 'kept' });
      return { id, producer, fileId: file.id, holdId: hold.id, text };
    }

    const callers = {
      'nothing at all': () => of(),
      'another producer': () => of(grant('writer', { exact: 'another' }), grant('keeper', { glob: 'another*' })),
      'a reader': ({ producer }: Subject) => of(grant('reader', { exact: producer })),
      'a writer': ({ producer }: Subject) => of(grant('writer', { glob: `${producer.slice(0, -1)}?` })),
      'a keeper of one and writer of others': ({ producer }: Subject) =>
        of(grant('keeper', { exact: producer }), grant('writer', { glob: 'another*' })),
      'an administrator': () => everything,
    };
    for (const [who, grantsOf] of Object.entries(callers))
      it(`lets ${who} do what the grants say, with every method`, async () => {
        for (const [facet, methods] of Object.entries(acts))
          for (const [method, row] of Object.entries<Act | string>(methods)) {
            if (typeof row === 'string') continue;
            const subject = await newSubject();
            const principal = grantsOf(subject);
            const may = (right: Right) => allows(principal, right, subject.producer);
            // Whether there is such a producer is no secret to whoever names it: it makes one.
            const there = may('read') || method === 'create';
            const expected = !there ? 'absent' : may(row.right) ? 'done' : `forbidden: ${row.right}`;
            const registry = opened.as(principal);
            assert.equal(await outcomeOf(() => row.act(registry, subject)), expected, `${facet}.${method}`);
            const nobodys = { ...subject, id: randomUUID(), fileId: randomUUID(), text: unique('nobody has') };
            if (method !== 'create')
              assert.equal(await outcomeOf(() => row.act(registry, nobodys)), 'absent', `${facet}.${method} of nobody`);
          }
      });

    it('lists of what will go what may be read, however much is between', async () => {
      const { create, add } = samples(() => opened.as(everything));
      const [one, another] = [unique('leaving'), unique('leaving')];
      const ids = await Promise.all(
        [one, another, another, one].map(async (producer) => {
          const { id } = await create({ producer });
          await add(id, 'a', id);
          await opened.as(everything).packages.finalize(id);
          return id;
        }),
      );
      const listed = async (...grants: Grant[]) => {
        const { items } = await opened.as(of(...grants)).retention.expiring({ limit: 1000 });
        return items.map(({ id }) => id).filter((id) => ids.includes(id));
      };
      assert.deepEqual((await listed(grant('reader', { exact: one }))).toSorted(), [ids[0], ids[3]].toSorted());
      assert.deepEqual(await listed(), []);
      assert.equal((await listed(grant('admin', { glob: '*' }))).length, 4);
      const first = await opened.as(of(grant('reader', { exact: one }))).retention.expiring({ limit: 1 });
      assert.ok(first.next_cursor !== null && first.items[0]?.producer === one);
    });

    it('finds by the digest of a manifest what may be read', async () => {
      const { create, add } = samples(() => opened.as(everything));
      const { id, producer } = await create();
      await add(id, 'a', 'a');
      const { manifest_digest } = await opened.as(everything).packages.finalize(id);
      const found = async (...grants: Grant[]) =>
        (await opened.as(of(...grants)).packages.list({ manifest_digest })).items.map((item) => item.id);
      assert.deepEqual(await found(grant('reader', { exact: producer })), [id]);
      assert.deepEqual(await found(grant('reader', { exact: 'another' }, { glob: `${producer.slice(0, -1)}?` })), [id]);
      for (const grants of [[], [grant('reader', { exact: 'another' })], [grant('keeper', { exact: 'another' }, { glob: 'another*' })]])
        assert.deepEqual(await found(...grants), []);
      // One that may see nothing at all learns no less of what is wrong.
      await refuses('invalid_address', opened.as(of()).packages.list({ manifest_digest: manifest_digest.slice(7) }));
    });

    it('has the usage of all for who may observe it', async () => {
      await refuses('forbidden', opened.as(of(grant('writer', { glob: '*' }))).usage());
      assert.ok((await opened.as(everything).usage()).last_sequence >= 0);
    });

    it("has metadata schemas that are a writer's by their producer and a dot, and everybody's to read", async () => {
      const json_schema = { type: 'object' } as const;
      const own = `acme-${randomUUID().slice(0, 8)}`;
      const writer = opened.as(of(grant('writer', { exact: own })));
      assert.equal((await writer.metadataSchemas.register({ slug: `${own}.v1`, json_schema })).created, true);
      for (const slug of [own, `${own}x.v1`, 'v1']) await refuses('forbidden', writer.metadataSchemas.register({ slug, json_schema }));
      // A producer's name may have dots, too.
      const part = opened.as(of(grant('writer', { exact: `${own}.part` })));
      assert.equal((await part.metadataSchemas.register({ slug: `${own}.part.v1`, json_schema })).created, true);
      for (const slug of [`${own}.v2`, `${own}.part`]) await refuses('forbidden', part.metadataSchemas.register({ slug, json_schema }));
      assert.ok((await opened.as(of(grant('reader', { exact: 'another' }))).metadataSchemas.get(`${own}.v1`)) !== undefined);
    });
  });
}
