import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { RemoteRegistry } from '../../../src/client/connect.ts';
import { createImporter, type Imported, type ImportOptions } from '../../../src/client/import/import-packages.ts';
import type { ImportReport } from '../../../src/client/import/report.ts';
import { connectSource, type Source } from '../../../src/client/import/source.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import type { Package } from '../../../src/registry/REGISTRY.ts';
import { type OpenServer, openServer } from '../open-server.ts';
import { openRegistry01, problem, type Registry01, token01 } from './registry-01.ts';

/** Copies from the stand-in for 0.1 into a real server. */
describe('an import from 0.1', () => {
  let server: OpenServer;
  let target: RemoteRegistry;
  let old: Registry01;
  let source: Source;
  before(async () => {
    server = await openServer();
    target = server.connect();
  });
  after(() => server.close());
  beforeEach(async () => {
    old = await openRegistry01();
    source = connectSource({ url: old.url, token: token01, patienceSeconds: 1 });
  });
  afterEach(async () => {
    await source.close();
    await old.stop();
  });

  const run = async (options: ImportOptions = {}): Promise<Imported> => await createImporter(source, target, options).all();
  async function report(options: ImportOptions = {}): Promise<ImportReport> {
    const { report, failure } = await run(options);
    if (failure !== undefined) throw failure;
    return report;
  }
  const origin = (id: string): string => `${old.registryId}/${id}`;
  async function copyOf(id: string): Promise<Package> {
    const { items } = await target.packages.list({ metadata: { artifactstore_origin: origin(id) } });
    assert.equal(items.length, 1);
    return items[0]!;
  }
  const states = ({ packages }: ImportReport): unknown => Object.fromEntries(Object.entries(packages).filter(([, count]) => count > 0));
  const codes = ({ problems }: ImportReport): readonly string[] => problems.map(({ code }) => code);

  test('brings files, metadata, class and schema, and finds all of it the next time without reading a file again', async () => {
    old.schemas.set('old.v1', { type: 'object', required: ['of'], additionalProperties: true });
    old.schemas.set('old.strict.v1', { type: 'object', properties: { of: {} }, additionalProperties: false });
    const big = Buffer.alloc(700_000, 'big ');
    const one = old.seal({
      name: 'one',
      files: { 'a.txt': 'a', 'b/ä.txt': 'b', twin: 'a', empty: '', big },
      more: { metadata_schema_slug: 'old.v1' },
    });
    const strict = old.seal({ name: 'strict', files: { x: 'x' }, more: { metadata_schema_slug: 'old.strict.v1' } });
    old.seal({ name: 'open', files: { x: 'y' } }).record = { ...one.record, id: one.id, status: 'created' };
    const first = await report();
    assert.deepEqual([states(first), first.open_packages, first.problems], [{ copied: 2 }, 1, []]);
    assert.deepEqual([first.copied_files, first.copied_bytes, first.sent_bytes], [6, 700_004, 700_003]);
    const copy = await copyOf(one.id);
    assert.deepEqual([copy.status, copy.name, copy.producer, copy.retention_class], ['finalized', 'one', 'old', 'raw-evidence']);
    assert.equal(copy.metadata.of, '0.1');
    const { artifactstore_import: imported } = copy.metadata as { readonly artifactstore_import: Record<string, unknown> };
    assert.deepEqual([imported.package_id, imported.manifest_digest], [one.id, one.record.manifest_digest]);
    const { items } = await target.files.list(copy.id);
    assert.deepEqual(
      items.map(({ relative_path, content_address }) => [relative_path, content_address]),
      one.files.map(({ relative_path, address }) => [relative_path, address]).sort(),
    );
    // A schema that takes no other members leaves the metadata as it is; the key finds the copy.
    const { items: plain } = await target.packages.list({ subject: 'strict' });
    assert.deepEqual([plain.length, plain[0]!.metadata], [1, { of: '0.1' }]);
    old.asked.length = 0;
    const second = await report();
    assert.deepEqual([states(second), second.sent_bytes], [{ present: 2 }, 0]);
    assert.deepEqual(
      old.asked.filter((request) => request.includes('/download')),
      [],
    );
    assert.equal((await target.packages.list({ subject: 'strict' })).items.length, 1);
    assert.equal(strict.files.length, 1);
    // It speaks nothing that 0.1 did not; the archive that this version has is asked for once.
    assert.deepEqual(
      old.refused.filter((request) => !/^POST .*\/archive: 405/.test(request)),
      [],
    );
  });

  test('names what could not be copied and why, and copies the rest', async () => {
    const wrong = old.seal({ name: 'wrong bytes', files: { good: 'good', bad: 'right', large: Buffer.alloc(300_000, 'r') } });
    wrong.files[1]!.bytes = Buffer.from('WRONG');
    wrong.files[2]!.bytes = Buffer.alloc(300_000, 'w');
    old.seal({ name: 'lies of sha256', files: { a: 'lie' }, fileMembers: { digest_sha256: '0'.repeat(64) } });
    old.seal({ name: 'path', files: { '../up': 'x' } });
    old.seal({ name: 'class', files: { a: 'x' }, more: { retention_class: 'of-their-own' } });
    old.seal({ name: 'schema', files: { a: 'x' }, more: { metadata_schema_slug: 'gone' } });
    const other = old.seal({ name: 'manifest', files: { a: 'x' } });
    other.record = { ...other.record, manifest_digest: `blake3:${'0'.repeat(64)}` };
    const closed = old.seal({ name: 'closed', files: { a: 'x' } });
    old.intercept = (request, response) => {
      if (!request.url!.startsWith(`/packages/${closed.id}/`)) return false;
      problem(response, 403, 'Not yours.');
      return true;
    };
    old.seal({ name: 'good', files: { a: 'fine' } });
    const found = await report();
    assert.deepEqual(states(found), { copied: 1, failed: 7 });
    const told = new Map(found.problems.map((each) => [`${each.name} ${each.relative_path ?? ''}`.trim(), each]));
    assert.deepEqual(Object.fromEntries([...told].map(([key, { code }]) => [key, code]).sort()), {
      class: 'unknown_retention_class',
      closed: 'forbidden',
      'lies of sha256 a': 'integrity_failure',
      manifest: 'integrity_failure',
      path: 'invalid_path',
      schema: 'unknown_metadata_schema',
      'wrong bytes bad': 'integrity_failure',
      'wrong bytes large': 'integrity_failure',
    });
    assert.match(told.get('wrong bytes bad')!.detail, /^The source sent other bytes for "bad" than those of sha256:/);
    assert.match(told.get('closed')!.detail, /^The source: Not yours/);
    // Nothing of it is sealed, and once the source is mended the same run finishes it.
    assert.equal((await copyOf(wrong.id)).status, 'created');
    wrong.files[1]!.bytes = Buffer.from('right');
    wrong.files[2]!.bytes = Buffer.alloc(300_000, 'r');
    await report();
    assert.equal((await copyOf(wrong.id)).status, 'finalized');
  });

  test('keeps a copy as long as the original, and holds it as long as that is held, each hold once', async () => {
    const kept = old.seal({ name: 'kept', files: { a: 'kept' }, more: { expires_at: null } });
    const later = old.seal({ name: 'later', files: { a: 'later' }, more: { expires_at: '2099-01-01T00:00:00Z' } });
    const held = old.seal({ name: 'held', files: { a: 'held' } });
    const hold = {
      id: '5f0f4f7e-32a1-4b73-9d3f-6f5cf2f1a001',
      reason: `audit ${'x'.repeat(1010)}\u0007`,
      owner: 'lawyer',
      applied_at: '2026-02-01T00:00:00.000Z',
      released_at: null,
    };
    held.holds = [hold];
    for (const _ of [1, 2]) await report();
    assert.equal((await copyOf(kept.id)).expires_at, null);
    assert.equal((await copyOf(later.id)).expires_at, '2099-01-01T00:00:00.000Z');
    const copy = await copyOf(held.id);
    const { holds } = await target.retention.show(copy.id);
    assert.equal(holds.length, 1);
    assert.match(holds[0]!.reason, /^audit x+… \(hold 5f0f4f7e-.* by lawyer since 2026-02-01/);
    held.holds = [{ ...hold, released_at: '2026-03-01T00:00:00.000Z', release_reason: 'settled' }];
    for (const _ of [1, 2]) await report();
    const [released] = (await target.retention.show(copy.id)).holds;
    assert.match(released!.release_reason!, /settled$/);
    // A source that does not say what is held is told of, and the copy is there.
    old.intercept = (request, response) => {
      if (!request.url!.endsWith('/retention')) return false;
      problem(response, 404, 'There is no such route.');
      return true;
    };
    const dumb = await report();
    assert.deepEqual([states(dumb), dumb.problems.length], [{ present: 3 }, 3]);
    assert.deepEqual(codes(await report({ holds: false })), []);
  });

  test('takes what goes from the source while it is copied as gone, and leaves nothing open of it', async () => {
    const going = old.seal({ name: 'going', files: { a: 'going', b: Buffer.alloc(400_000, 'b') } });
    const { id } = going.files[1]!;
    old.intercept = (request) => {
      if (request.url!.includes(id)) {
        going.record = { ...going.record, status: 'garbage_collected' };
        going.files.splice(0);
      }
      return false;
    };
    const found = await report();
    assert.deepEqual([states(found), found.problems], [{ gone: 1 }, []]);
    assert.equal((await copyOf(going.id)).status, 'abandoned');
  });

  test('ends at once for a wrong token, a page of HTML and a source that dies, and the next run resumes', async () => {
    const sealed = Array.from({ length: 12 }, (_, index) => old.seal({ name: `n${index}`, files: { a: `a${index}`, b: `b${index}` } }));
    await using stranger = connectSource({ url: old.url, token: 'another', patienceSeconds: 1 });
    const refusal = (await createImporter(stranger, target).all()).failure;
    assert.ok(isArtifactstoreError(refusal, 'unauthorized'));
    assert.match(refusal.message, /^The source: /);

    old.intercept = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html><title>Welcome</title>');
      return true;
    };
    const page = (await run()).failure;
    assert.ok(isArtifactstoreError(page, 'unexpected_answer'));
    assert.match(String(page.info?.hint), /^set `url` to the address of an artifactstore/);

    let downloads = 0;
    old.intercept = (request, response) => {
      if (request.url!.includes('/download')) downloads += 1;
      if (downloads <= 9) return false;
      response.destroy();
      return true;
    };
    const { report: half, failure } = await run({ jobs: 2 });
    assert.ok(isArtifactstoreError(failure, 'server_unreachable'));
    assert.ok(half.packages.copied > 0 && half.packages.copied < 12, String(half.packages.copied));
    assert.deepEqual(half.problems, []);
    old.intercept = () => false;
    const rest = await report();
    assert.equal(rest.packages.copied + rest.packages.present, 12);
    // One may have been sealed when the run ended before its answer came.
    assert.ok(rest.packages.present >= half.packages.copied && rest.packages.present <= half.packages.copied + 2);
    for (const { id } of sealed) assert.equal((await copyOf(id)).status, 'finalized');
  });
});
