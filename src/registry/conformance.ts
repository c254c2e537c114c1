import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { decodeCbor, encodeCbor } from '../kernel/cbor.ts';
import { blake3, toHex } from '../kernel/digest.ts';
import type { ErrorCode } from '../kernel/error.ts';
import { isArtifactstoreError } from '../kernel/error.ts';
import type { Manifest } from '../kernel/manifest.ts';
import type { NewPackage, Registry } from './REGISTRY.ts';

export interface OpenedRegistry {
  readonly registry: Registry;
  close(): Promise<void>;
}

/** What every implementation of the Registry door must do, in process or over a wire. Run it from a test file. */
export function registryConformance(name: string, open: () => Promise<OpenedRegistry>): void {
  describe(`registry conformance: ${name}`, () => {
    let opened: OpenedRegistry;
    let registry: Registry;
    before(async () => {
      opened = await open();
      registry = opened.registry;
    });
    after(() => opened.close());

    const create = (extra: Partial<NewPackage> = {}) => registry.packages.create({ ...sample(), ...extra }).then(({ record }) => record);
    const add = (id: string, path: string, text: string | Uint8Array, mediaType?: string) =>
      registry.files.add(id, {
        relative_path: path,
        body: chunks(text),
        ...(mediaType === undefined ? {} : { media_type: mediaType }),
      });

    describe('packages', () => {
      it('creates, shows and lists them', async () => {
        const input = { ...sample(), metadata: { build: 42, branch: 'main', nested: { deep: [1, 2.5, null, true] } } };
        const { record, created } = await registry.packages.create(input);
        assert.equal(created, true);
        assert.equal(record.status, 'created');
        assert.deepEqual(record.metadata, input.metadata);
        assert.equal(record.file_count, 0);
        assert.equal(record.manifest_digest, null);
        assert.match(record.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        assert.equal(Date.parse(record.expires_at!) - Date.parse(record.created_at), 86_400_000);
        assert.deepEqual(await registry.packages.get(record.id), record);
        const { items } = await registry.packages.list({ producer: input.producer });
        assert.deepEqual(items, [record]);
      });

      it('has no package that was never created', async () => {
        assert.equal(await registry.packages.get(randomUUID()), undefined);
        await refuses('package_not_found', registry.packages.finalize(randomUUID()));
        await refuses('package_not_found', registry.packages.abandon(randomUUID()));
        await refuses('package_not_found', registry.packages.manifest(randomUUID()));
        await refuses('package_not_found', registry.files.list(randomUUID()));
      });

      it('pages newest first, by cursors that are bound to their list', async () => {
        const producer = unique('pager');
        const ids: string[] = [];
        for (let index = 0; index < 7; index++) ids.unshift((await create({ producer, subject: `s${index % 2}` })).id);
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await registry.packages.list({ producer, limit: 3, ...(cursor === undefined ? {} : { cursor }) });
          seen.push(...page.items.map(({ id }) => id));
          if (page.next_cursor !== null) await refuses('invalid_cursor', registry.packages.list({ cursor: page.next_cursor }));
          cursor = page.next_cursor ?? undefined;
        } while (cursor !== undefined);
        assert.deepEqual(seen, ids);
        for (const made of ['x', 'AAAA', Buffer.from('{"after":1}').toString('base64url')])
          await refuses('invalid_cursor', registry.packages.list({ producer, cursor: made }));
        assert.equal((await registry.packages.list({ producer, subject: 's1' })).items.length, 3);
        assert.equal((await registry.packages.list({ producer, status: 'finalized' })).items.length, 0);
      });

      it('finds by top-level metadata scalars', async () => {
        const producer = unique('metadata');
        const first = await create({ producer, metadata: { n: 1, s: 'main', b: true, z: null, t: '1' } });
        const second = await create({ producer, metadata: { n: 2, s: 'main', o: { s: 'main' } } });
        const found = async (metadata: Record<string, string>) =>
          (await registry.packages.list({ producer, metadata })).items.map(({ id }) => id);
        assert.deepEqual(await found({ s: 'main' }), [second.id, first.id]);
        assert.deepEqual(await found({ s: '"main"' }), [second.id, first.id]);
        assert.deepEqual(await found({ s: 'main', n: '1' }), [first.id]);
        assert.deepEqual(await found({ n: '1.0' }), [first.id]);
        assert.deepEqual(await found({ t: '1' }), [first.id]);
        assert.deepEqual(await found({ b: 'true' }), [first.id]);
        assert.deepEqual(await found({ z: 'null' }), [first.id]);
        assert.deepEqual(await found({ o: '{"s":"main"}' }), []);
      });

      it('gives the same package for the same idempotency key and body', async () => {
        const input = sample();
        const key = randomUUID();
        const first = await registry.packages.create(input, { idempotencyKey: key });
        const again = await registry.packages.create(input, { idempotencyKey: key });
        assert.equal(first.created, true);
        assert.deepEqual(again, { record: first.record, created: false });
        await refuses('idempotency_conflict', registry.packages.create({ ...input, name: 'other' }, { idempotencyKey: key }));
        const other = await registry.packages.create({ ...input, producer: unique('p') }, { idempotencyKey: key });
        assert.notEqual(other.record.id, first.record.id);
      });

      it('refuses what it cannot keep', async () => {
        await refuses('unknown_retention_class', create({ retention_class: 'for-ever-and-a-day' }));
        await refuses('unknown_metadata_schema', create({ metadata_schema_slug: unique('none') }));
        await refuses(['invalid_value', 'malformed_request'], create({ name: '' }));
        await refuses(['invalid_value', 'malformed_request'], create({ producer: 'a\u0000b' }));
        await refuses(['invalid_value', 'malformed_request'], create({ subject: 'x'.repeat(257) }));
        await refuses(['invalid_id', 'malformed_request'], registry.packages.get('not-an-id'));
      });

      it('abandons what is not finalized, once', async () => {
        const { id } = await create();
        await add(id, 'a', 'a');
        assert.equal((await registry.packages.abandon(id)).status, 'abandoned');
        assert.equal((await registry.packages.abandon(id)).status, 'abandoned');
        await refuses('package_not_open', add(id, 'b', 'b'));
        await refuses('package_not_open', registry.packages.finalize(id));
        const sealed = await create();
        await add(sealed.id, 'a', 'a');
        await registry.packages.finalize(sealed.id);
        await refuses('package_not_open', registry.packages.abandon(sealed.id));
      });
    });

    describe('files', () => {
      it('keeps bytes and gives them back, whole and in ranges', async () => {
        const { id } = await create();
        for (const size of [0, 1, 4096, 1_048_575, 1_048_576, 1_048_577, 3_500_000]) {
          const bytes = patterned(size);
          const { record, created } = await add(id, `size-${size}`, bytes, 'application/x-test');
          assert.equal(created, true);
          assert.equal(record.size_bytes, size);
          assert.equal(record.media_type, 'application/x-test');
          assert.equal(record.digest_sha256, createHash('sha256').update(bytes).digest('hex'));
          assert.equal(record.content_address, `${record.digest_algorithm}:${record.digest_primary}`);
          if (record.digest_algorithm === 'blake3') assert.equal(record.digest_primary, toHex(blake3(bytes)));
          assert.equal(record.locations.length, 1);
          assert.deepEqual(await registry.files.get(record.id), record);
          assert.deepEqual(await registry.files.find(id, `size-${size}`), record);
          const whole = await registry.files.open({ file_id: record.id });
          assert.equal(Buffer.compare(await collect(whole!.body), bytes), 0);
          if (size === 0) continue;
          for (const range of [
            { first: 0, last: 0 },
            { first: size - 1 },
            { first: Math.floor(size / 2), last: Math.floor(size / 2) + 70_000 },
            { first: -5 },
          ]) {
            const part = await registry.files.open({ package_id: id, relative_path: `size-${size}` }, { range });
            const { first, last } = part!.range!;
            assert.equal(Buffer.compare(await collect(part!.body), bytes.subarray(first, last + 1)), 0);
          }
          await refuses('range_not_satisfiable', registry.files.open({ file_id: record.id }, { range: { first: size } }));
        }
      });

      it('is the same file for the same bytes at the same path, and a conflict for others', async () => {
        const { id } = await create();
        const first = await add(id, 'dir/f.txt', 'one', 'text/plain');
        const again = await add(id, 'dir/f.txt', 'one', 'text/html');
        assert.deepEqual(again, { record: first.record, created: false });
        await refuses('path_conflict', add(id, 'dir/f.txt', 'two'));
        assert.equal((await registry.packages.get(id))!.file_count, 1);
      });

      it('stores equal bytes once, across packages', async () => {
        const text = unique('shared');
        const first = await add((await create()).id, 'a', text);
        const second = await add((await create()).id, 'b', text);
        assert.equal(first.record.locations[0]!.object_key, second.record.locations[0]!.object_key);
        for (const digest of [first.record.content_address, `sha256:${first.record.digest_sha256}`])
          assert.deepEqual(
            (await registry.files.withDigest(digest)).items.map(({ id }) => id),
            [first.record.id, second.record.id],
          );
        const page = await registry.files.withDigest(first.record.content_address, { limit: 1 });
        assert.equal(page.items.length, 1);
        const rest = await registry.files.withDigest(first.record.content_address, { limit: 1, cursor: page.next_cursor! });
        assert.equal(rest.items[0]!.id, second.record.id);
        const opened = await registry.files.open({ content_address: `sha256:${first.record.digest_sha256}` });
        assert.equal((await collect(opened!.body)).toString(), text);
      });

      it('refuses bytes that are not what was declared, and keeps nothing', async () => {
        const { id } = await create();
        const body = () => chunks('the bytes');
        const wrong = new Map([['sha256', new Uint8Array(32)]]);
        await refuses('digest_mismatch', registry.files.add(id, { relative_path: 'a', body: body(), digests: wrong, size_bytes: 9 }));
        const right = new Map([['sha256', new Uint8Array(createHash('sha256').update('the bytes').digest())]]);
        const { record } = await registry.files.add(id, { relative_path: 'b', body: body(), digests: right, size_bytes: 9 });
        assert.equal(record.size_bytes, 9);
        assert.equal(await registry.files.find(id, 'a'), undefined);
        assert.equal((await registry.packages.get(id))!.file_count, 1);
      });

      it('refuses illegal paths', async () => {
        const { id } = await create();
        for (const path of ['', '/a', 'a//b', './a', 'a/..', 'a\\b', 'a\u0000', 'a\nb', 'a/', 'x'.repeat(1025), '\ud800'])
          await refuses('invalid_path', add(id, path, 'x'));
        assert.equal((await registry.packages.get(id))!.file_count, 0);
      });

      it('keeps odd but legal paths, annotations, and their byte order', async () => {
        const { id } = await create();
        const paths = ['z', 'a b', 'ü/é', '😀', '\uff21', 'a%2Fb', 'a+b&c=?#', '.hidden', '...', 'A', 'a', 'a/b', 'a-b', '~', 'q\'"'];
        for (const path of paths)
          await registry.files.add(id, {
            relative_path: path,
            body: chunks(path),
            annotations: { mode: 'executable', 'x.y': 'a "b" \\c' },
          });
        const listed: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await registry.files.list(id, { limit: 4, ...(cursor === undefined ? {} : { cursor }) });
          listed.push(...page.items.map((file) => file.relative_path));
          for (const file of page.items) assert.deepEqual(file.annotations, { mode: 'executable', 'x.y': 'a "b" \\c' });
          cursor = page.next_cursor ?? undefined;
        } while (cursor !== undefined);
        assert.deepEqual(
          listed,
          paths.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right))),
        );
        for (const path of paths) {
          const opened = await registry.files.open({ package_id: id, relative_path: path });
          assert.equal((await collect(opened!.body)).toString(), path);
        }
      });

      it('adds many in one step, all or nothing', async () => {
        const { id } = await create();
        const many = async function* () {
          for (let index = 0; index < 40; index++)
            yield { relative_path: `m/${index}`, body: chunks(index % 2 === 0 ? 'even' : `odd ${index}`), media_type: 'text/plain' };
        };
        const added = await registry.files.addMany(id, many());
        assert.deepEqual(
          added.map(({ record }) => record.relative_path),
          Array.from({ length: 40 }, (_, index) => `m/${index}`),
        );
        assert.ok(added.every(({ created }) => created));
        assert.ok((await registry.files.addMany(id, many())).every(({ created }) => !created));
        const clash = async function* () {
          yield { relative_path: 'fresh', body: chunks(unique('fresh')) };
          yield { relative_path: 'm/0', body: chunks('not even') };
        };
        await refuses('path_conflict', registry.files.addMany(id, clash()));
        assert.equal(await registry.files.find(id, 'fresh'), undefined);
        assert.equal((await registry.packages.get(id))!.file_count, 40);
      });

      it('attaches what it already has, by either digest', async () => {
        const text = unique('attach');
        const source = (await add((await create()).id, 'source', text)).record;
        const { id } = await create();
        const item = { size_bytes: source.size_bytes, media_type: 'text/x-attached' };
        const items = [
          { ...item, relative_path: 'by-primary', content_address: source.content_address },
          { ...item, relative_path: 'by-sha256', content_address: `sha256:${source.digest_sha256}` },
          { ...item, relative_path: 'nowhere', content_address: `sha256:${'0'.repeat(64)}` },
        ];
        const first = await registry.files.attach(id, items);
        assert.deepEqual(
          first.map(({ result }) => result),
          ['created', 'created', 'missing'],
        );
        assert.equal(first[0]!.file!.content_address, source.content_address);
        assert.equal(first[1]!.file!.media_type, 'text/x-attached');
        assert.equal(first[2]!.file, undefined);
        assert.deepEqual(
          (await registry.files.attach(id, items)).map(({ result }) => result),
          ['exists', 'exists', 'missing'],
        );
        await refuses('invalid_value', registry.files.attach(id, [{ ...items[0]!, relative_path: 'wrong', size_bytes: 1 }]));
        await refuses(['malformed_request'], registry.files.attach(id, []));
        await refuses(['malformed_request'], registry.files.attach(id, [items[0]!, items[0]!]));
      });

      it('has no file that was never added', async () => {
        const { id } = await create();
        assert.equal(await registry.files.get(randomUUID()), undefined);
        assert.equal(await registry.files.find(id, 'none'), undefined);
        assert.equal(await registry.files.open({ package_id: id, relative_path: 'none' }), undefined);
        assert.equal(await registry.files.open({ content_address: `sha256:${'1'.repeat(64)}` }), undefined);
        assert.deepEqual((await registry.files.withDigest(`sha256:${'1'.repeat(64)}`)).items, []);
        await refuses('invalid_address', registry.files.withDigest('sha256:ABC'));
      });
    });

    describe('sealing', () => {
      it('seals a manifest whose bytes are the identity, and takes no file afterwards', async () => {
        const created = await create({ metadata: { ratio: 0.5, big: 9007199254740991, text: 'ü' } });
        await refuses('package_empty', registry.packages.finalize(created.id));
        assert.equal(await registry.packages.manifest(created.id), undefined);
        for (const path of ['b', 'a/z', 'a', 'ü']) await add(created.id, path, path);
        const sealed = await registry.packages.finalize(created.id);
        assert.deepEqual(await registry.packages.finalize(created.id), sealed);
        assert.equal(sealed.file_count, 4);
        await refuses('package_not_open', add(created.id, 'late', 'x'));
        await refuses('package_not_open', registry.files.attach(created.id, [attachment('b')]));
        const { bytes, digest } = (await registry.packages.manifest(created.id))!;
        assert.equal(digest, sealed.manifest_digest);
        assert.equal(`blake3:${toHex(blake3(bytes))}`, digest);
        const manifest = decodeCbor(bytes) as unknown as Manifest;
        assert.equal(Buffer.compare(encodeCbor(manifest), bytes), 0);
        assert.deepEqual(
          manifest.files.map((file) => file.relative_path),
          ['a', 'a/z', 'b', 'ü'],
        );
        assert.deepEqual(
          manifest.storage_receipts.map((receipt) => receipt.file_id),
          manifest.files.map((file) => file.id),
        );
        assert.deepEqual(manifest.package.metadata, created.metadata);
        const record = (await registry.packages.get(created.id))!;
        assert.equal(record.status, 'finalized');
        assert.equal(record.finalized_at, manifest.provenance.finalized_at);
        const { items } = await registry.events.page({ subject_id: created.id, event_type: 'v1.package.finalized' });
        assert.equal(items[0]!.payload_digest, digest);
        assert.equal(items[0]!.created_at, manifest.provenance.finalized_at);
      });
    });

    describe('events', () => {
      it('tells everything in order, without gaps, in pages', async () => {
        const before = (await registry.events.page({ limit: 1 })).last_sequence;
        const { id } = await create();
        await add(id, 'e', 'e');
        await registry.packages.finalize(id);
        const { items, last_sequence } = await registry.events.page({ since: before });
        assert.deepEqual(
          items.map((event) => event.event_type),
          ['v1.package.created', 'v1.retention.default_applied', 'v1.file.ingested', 'v1.package.finalized'],
        );
        assert.deepEqual(
          items.map((event) => event.sequence),
          [1, 2, 3, 4].map((step) => before + step),
        );
        assert.equal(last_sequence, before + 4);
        const encoded = await registry.events.encodedPage({ since: before });
        assert.deepEqual(decodeCbor(encoded.bytes), JSON.parse(JSON.stringify({ items, last_sequence })));
        assert.equal(encoded.item_count, 4);
        const filtered = await registry.events.page({ subject_kind: 'package', subject_id: id });
        assert.equal(filtered.items.length, 3);
      });

      it('waits for what is not there yet, and no longer than it was told', async () => {
        const { last_sequence } = await registry.events.page({ limit: 1 });
        const waiting = registry.events.page({ since: last_sequence, wait_seconds: 20 });
        const { id } = await create();
        const { items } = await waiting;
        assert.equal(items[0]!.subject_id, id);
        const end = (await registry.events.page({ limit: 1 })).last_sequence;
        assert.deepEqual((await registry.events.page({ since: end, wait_seconds: 0.05 })).items, []);
      });

      it('refuses queries that make no sense', async () => {
        await refuses('malformed_request', registry.events.page({ limit: 501 }));
        await refuses('malformed_request', registry.events.page({ since: -1 }));
        await refuses('malformed_request', registry.events.page({ wait_seconds: 61 }));
      });
    });

    describe('metadata schemas', () => {
      it('holds metadata to its schema, which never changes', async () => {
        const slug = unique('schema').replaceAll(' ', '-');
        const json_schema = {
          $schema: 'https://json-schema.org/draft/2020-12/schema',
          type: 'object',
          required: ['run_id'],
          properties: { run_id: { type: 'string', minLength: 3 }, at: { type: 'string', format: 'date-time' } },
        };
        const first = await registry.metadataSchemas.register({ slug, json_schema });
        assert.equal(first.created, true);
        assert.deepEqual(await registry.metadataSchemas.register({ slug, json_schema }), { record: first.record, created: false });
        await refuses('metadata_schema_conflict', registry.metadataSchemas.register({ slug, json_schema: { type: 'object' } }));
        assert.deepEqual(await registry.metadataSchemas.get(slug), first.record);
        assert.equal(await registry.metadataSchemas.get(`${slug}-none`), undefined);
        assert.ok((await registry.metadataSchemas.list({ limit: 1000 })).items.some((schema) => schema.slug === slug));
        await create({ metadata_schema_slug: slug, metadata: { run_id: 'abc' } });
        await refuses('metadata_mismatch', create({ metadata_schema_slug: slug, metadata: {} }));
        await refuses('metadata_mismatch', create({ metadata_schema_slug: slug, metadata: { run_id: 'abc', at: 'yesterday' } }));
        await refuses(
          'invalid_metadata_schema',
          registry.metadataSchemas.register({ slug: `${slug}-bad`, json_schema: { type: 'no such type' } }),
        );
      });
    });

    it('lists the retention classes and says how it is', async () => {
      const classes = await registry.retention.classes();
      assert.equal(classes.find(({ slug }) => slug === 'raw-evidence')?.default_duration_seconds, 7_776_000);
      assert.equal(classes.find(({ slug }) => slug === 'permanent-record')?.default_duration_seconds, null);
      const health = await registry.health();
      assert.equal(health.db.healthy, true);
      assert.ok(health.last_sequence > 0);
      assert.ok(health.backends.some(({ backend_id }) => backend_id === health.backend.backend_id));
    });
  });
}

let counter = 0;

function unique(word: string): string {
  counter += 1;
  return `${word} ${process.pid}-${counter}-${randomUUID().slice(0, 8)}`;
}

function sample(): NewPackage {
  return { name: 'nightly', producer: unique('producer'), subject: 'conformance', retention_class: 'transient' };
}

function attachment(text: string) {
  return { relative_path: 'late', content_address: `sha256:${createHash('sha256').update(text).digest('hex')}`, size_bytes: text.length };
}

/** Bytes in which every stretch differs, in chunks that fit nothing. */
function patterned(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let index = 0; index + 4 <= size; index += 4) bytes.writeUInt32LE(Math.imul(index + size, 2_654_435_761) >>> 0, index);
  return bytes;
}

async function* chunks(content: string | Uint8Array): AsyncIterable<Uint8Array> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  for (let start = 0; start < bytes.length; start += 65_521) yield bytes.subarray(start, start + 65_521);
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

async function refuses(codes: ErrorCode | readonly ErrorCode[], promise: Promise<unknown>): Promise<void> {
  const allowed = typeof codes === 'string' ? [codes] : codes;
  await assert.rejects(promise, (error) => {
    assert.ok(isArtifactstoreError(error), `expected ${allowed.join(' or ')}, got ${String(error)}`);
    assert.ok(allowed.includes(error.code), `expected ${allowed.join(' or ')}, got ${error.code}: ${error.message}`);
    return true;
  });
}
