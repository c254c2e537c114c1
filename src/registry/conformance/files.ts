import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { blake3, toHex } from '../../kernel/content/digest.ts';
import type { EncodedPage } from '../../kernel/format/encoded-page.ts';
import { chunks, collect, type Opened, patterned, refuses, samples, unique } from './samples.ts';

export function filesConformance(opened: Opened): void {
  const { registry, create, add } = samples(opened);
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
        assert.deepEqual(await registry().files.get(record.id), record);
        assert.deepEqual(await registry().files.find(id, `size-${size}`), record);
        const whole = await registry().files.open({ file_id: record.id });
        assert.equal(Buffer.compare(await collect(whole!.body), bytes), 0);
        if (size === 0) continue;
        for (const range of [
          { first: 0, last: 0 },
          { first: size - 1 },
          { first: Math.floor(size / 2), last: Math.floor(size / 2) + 70_000 },
          { first: -5 },
        ]) {
          const part = await registry().files.open({ package_id: id, relative_path: `size-${size}` }, { range });
          const { first, last } = part!.range!;
          assert.equal(Buffer.compare(await collect(part!.body), bytes.subarray(first, last + 1)), 0);
        }
        await refuses('range_not_satisfiable', registry().files.open({ file_id: record.id }, { range: { first: size } }));
      }
    });

    it('tells of a file what opening it would tell, by each of its names', async () => {
      const { id } = await create();
      const { record } = await add(id, 'told', unique('told'));
      const { stat } = registry().files;
      for (const target of [
        { file_id: record.id },
        { package_id: id, relative_path: 'told' },
        { content_address: record.content_address },
        { content_address: `sha256:${record.digest_sha256}` },
      ])
        assert.equal((await stat(target))?.id, record.id);
      assert.equal(await stat({ file_id: randomUUID() }), undefined);
      assert.equal(await stat({ package_id: id, relative_path: 'other' }), undefined);
      assert.equal(await stat({ content_address: `sha256:${'0'.repeat(64)}` }), undefined);
    });

    it('finds many by their paths, in that order, to be opened', async () => {
      const { id } = await create();
      const texts = new Map(['z', 'dir/a', 'ü', 'empty'].map((path) => [path, path === 'empty' ? '' : unique('text')]));
      for (const [path, text] of texts) await add(id, path, text);
      const found = await registry().files.findMany(id, [...texts.keys()]);
      for (const [index, [path, text]] of [...texts].entries()) {
        const { file, open } = found[index]!;
        assert.deepEqual(file, await registry().files.find(id, path));
        assert.equal(String(await collect((await open()).body)), text);
        if (text !== '') assert.equal(String(await collect((await open({ range: { first: 1, last: 2 } })).body)), text.slice(1, 3));
      }
      await refuses('file_not_found', registry().files.findMany(id, ['z', 'other']));
      await refuses('malformed_request', registry().files.findMany(id, ['z', 'z']));
      await refuses('invalid_path', registry().files.findMany(id, ['/z']));
      await refuses('package_not_found', registry().files.findMany(randomUUID(), ['z']));
    });

    it('gives chunks that stay as they were when the next ones come', async () => {
      const { id } = await create();
      const bytes = patterned(9_500_000);
      const { record } = await add(id, 'kept', bytes, 'application/x-test');
      for (const range of [undefined, { first: 1_000, last: 8_000_000 }]) {
        const opened = await registry().files.open({ file_id: record.id }, range === undefined ? {} : { range });
        const kept = await Array.fromAsync(opened!.body);
        assert.ok(kept.length > 1);
        assert.equal(Buffer.compare(Buffer.concat(kept), range === undefined ? bytes : bytes.subarray(range.first, range.last + 1)), 0);
      }
    });

    it('continues after the longest path', async () => {
      const { id } = await create();
      for (const path of [`a${'x'.repeat(1023)}`, 'b']) await add(id, path, 'same');
      const first = await registry().files.list(id, { limit: 1 });
      const second = await registry().files.list(id, { limit: 1, cursor: first.next_cursor! });
      assert.deepEqual([second.items[0]!.relative_path, second.next_cursor], ['b', null]);
      assert.deepEqual(parsed(await registry().files.encodedList(id, { limit: 1 })), first);
      const address = second.items[0]!.content_address;
      const found = await registry().files.withDigest(address, { limit: 1 });
      assert.deepEqual(parsed(await registry().files.encodedWithDigest(address, { limit: 1 })), found);
    });

    it('is the same file for the same bytes at the same path, and a conflict for others', async () => {
      const { id } = await create();
      const first = await add(id, 'dir/f.txt', 'one', 'text/plain');
      const again = await add(id, 'dir/f.txt', 'one', 'text/html');
      assert.deepEqual(again, { record: first.record, created: false });
      await refuses('path_conflict', add(id, 'dir/f.txt', 'two'));
      assert.equal((await registry().packages.get(id))!.file_count, 1);
    });

    it('stores equal bytes once, across packages', async () => {
      const text = unique('shared');
      const first = await add((await create()).id, 'a', text);
      const second = await add((await create()).id, 'b', text);
      assert.equal(first.record.locations[0]!.object_key, second.record.locations[0]!.object_key);
      for (const digest of [first.record.content_address, `sha256:${first.record.digest_sha256}`])
        assert.deepEqual(
          (await registry().files.withDigest(digest)).items.map(({ id }) => id),
          [first.record.id, second.record.id],
        );
      const { id, name, producer, subject, status } = (await registry().packages.get(second.record.package_id))!;
      const ofSecond = (await registry().files.withDigest(first.record.content_address)).items[1]!;
      assert.deepEqual(ofSecond.package, { id, name, producer, subject, status });
      const page = await registry().files.withDigest(first.record.content_address, { limit: 1 });
      assert.equal(page.items.length, 1);
      const rest = await registry().files.withDigest(first.record.content_address, { limit: 1, cursor: page.next_cursor! });
      assert.equal(rest.items[0]!.id, second.record.id);
      const opened = await registry().files.open({ content_address: `sha256:${first.record.digest_sha256}` });
      assert.equal((await collect(opened!.body)).toString(), text);
    });

    it('refuses bytes that are not what was declared, and keeps nothing', async () => {
      const { id } = await create();
      const body = () => chunks('the bytes');
      const wrong = new Map([['sha256', new Uint8Array(32)]]);
      await refuses('digest_mismatch', registry().files.add(id, { relative_path: 'a', body: body(), digests: wrong, size_bytes: 9 }));
      const right = new Map([['sha256', new Uint8Array(createHash('sha256').update('the bytes').digest())]]);
      const { record } = await registry().files.add(id, { relative_path: 'b', body: body(), digests: right, size_bytes: 9 });
      assert.equal(record.size_bytes, 9);
      assert.equal(await registry().files.find(id, 'a'), undefined);
      assert.equal((await registry().packages.get(id))!.file_count, 1);
    });

    it('refuses illegal paths', async () => {
      const { id } = await create();
      for (const path of ['', '/a', 'a//b', './a', 'a/..', 'a\\b', 'a\u0000', 'a\nb', 'a/', 'x'.repeat(1025), '\ud800'])
        await refuses('invalid_path', add(id, path, 'x'));
      assert.equal((await registry().packages.get(id))!.file_count, 0);
    });

    it('keeps odd but legal paths, annotations, and their byte order', async () => {
      const { id } = await create();
      const paths = ['z', 'a b', 'ü/é', '😀', '\uff21', 'a%2Fb', 'a+b&c=?#', '.hidden', '...', 'A', 'a', 'a/b', 'a-b', '~', 'q\'"'];
      for (const path of paths)
        await registry().files.add(id, {
          relative_path: path,
          body: chunks(path),
          annotations: { mode: 'executable', 'x.y': 'a "b" \\c' },
        });
      const listed: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await registry().files.list(id, { limit: 4, ...(cursor === undefined ? {} : { cursor }) });
        listed.push(...page.items.map((file) => file.relative_path));
        for (const file of page.items) assert.deepEqual(file.annotations, { mode: 'executable', 'x.y': 'a "b" \\c' });
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined);
      assert.deepEqual(
        listed,
        paths.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right))),
      );
      for (const path of paths) {
        const opened = await registry().files.open({ package_id: id, relative_path: path });
        assert.equal((await collect(opened!.body)).toString(), path);
      }
    });

    it('adds many in one step, all or nothing', async () => {
      const { id } = await create();
      const many = async function* () {
        for (let index = 0; index < 40; index++)
          yield { relative_path: `m/${index}`, body: chunks(index % 2 === 0 ? 'even' : `odd ${index}`), media_type: 'text/plain' };
      };
      const added = await registry().files.addMany(id, many());
      assert.deepEqual(
        added.map(({ record }) => record.relative_path),
        Array.from({ length: 40 }, (_, index) => `m/${index}`),
      );
      assert.ok(added.every(({ created }) => created));
      for (const { record } of added) assert.deepEqual(record, await registry().files.get(record.id));
      assert.ok((await registry().files.addMany(id, many())).every(({ created }) => !created));
      const clash = async function* () {
        yield { relative_path: 'fresh', body: chunks(unique('fresh')) };
        yield { relative_path: 'm/0', body: chunks('not even') };
      };
      await refuses('path_conflict', registry().files.addMany(id, clash()));
      const twice = async function* () {
        for (const text of ['one', 'two']) yield { relative_path: 'twice', body: chunks(text) };
      };
      const none = async function* () {};
      // The words of who is asked: in process, or a body that is refused on the way.
      for (const files of [twice(), none()])
        await refuses(['malformed_request', 'malformed_multipart'], registry().files.addMany(id, files));
      for (const path of ['fresh', 'twice']) assert.equal(await registry().files.find(id, path), undefined);
      assert.equal((await registry().packages.get(id))!.file_count, 40);
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
      const first = await registry().files.attach(id, items);
      assert.deepEqual(
        first.map(({ result }) => result),
        ['created', 'created', 'missing'],
      );
      assert.equal(first[0]!.file!.content_address, source.content_address);
      assert.equal(first[1]!.file!.media_type, 'text/x-attached');
      for (const { file } of first) if (file !== undefined) assert.deepEqual(file, await registry().files.get(file.id));
      assert.equal(first[2]!.file, undefined);
      const brief = await registry().files.attach(id, [{ ...items[0]!, relative_path: 'brief' }], { records: false });
      assert.equal(brief[0]!.result, 'created');
      assert.equal((await registry().files.find(id, 'brief'))!.content_address, source.content_address);
      assert.deepEqual(
        (await registry().files.attach(id, items)).map(({ result }) => result),
        ['exists', 'exists', 'missing'],
      );
      await refuses('invalid_value', registry().files.attach(id, [{ ...items[0]!, relative_path: 'wrong', size_bytes: 1 }]));
      await refuses(['invalid_value', 'malformed_request'], registry().files.attach(id, []));
      await refuses(['malformed_request'], registry().files.attach(id, [items[0]!, items[0]!]));
    });

    it('has no file that was never added', async () => {
      const { id } = await create();
      assert.equal(await registry().files.get(randomUUID()), undefined);
      assert.equal(await registry().files.find(id, 'none'), undefined);
      assert.equal(await registry().files.find(randomUUID(), 'none'), undefined);
      await refuses('invalid_path', registry().files.find(id, '/none'));
      assert.equal(await registry().files.open({ package_id: id, relative_path: 'none' }), undefined);
      assert.equal(await registry().files.open({ content_address: `sha256:${'1'.repeat(64)}` }), undefined);
      assert.deepEqual((await registry().files.withDigest(`sha256:${'1'.repeat(64)}`)).items, []);
      await refuses('invalid_address', registry().files.withDigest('sha256:ABC'));
    });
  });
}

function parsed({ json }: EncodedPage): unknown {
  return JSON.parse(Buffer.from(json).toString());
}
