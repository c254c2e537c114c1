import assert from 'node:assert/strict';
import { globSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesBody, type RemoteRegistry } from '../../../src/client/connect.ts';
import type { PackageCopy } from '../../../src/client/import/copy-package.ts';
import { followSource } from '../../../src/client/import/follow-source.ts';
import { createImporter, type ImportOptions } from '../../../src/client/import/import-packages.ts';
import type { ImportReport } from '../../../src/client/import/report.ts';
import { connectSource, type Source } from '../../../src/client/import/source.ts';
import { openIdentity } from '../../../src/identity/open.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { canonicalJson } from '../../../src/kernel/format/json.ts';
import type { NewFile, Package } from '../../../src/registry/REGISTRY.ts';
import { type OpenServer, openServer } from '../open-server.ts';

/** Between real servers of this version. */
describe('an import from a registry of this version', () => {
  let servers: readonly OpenServer[];
  let registries: readonly RemoteRegistry[];
  let sources: readonly Source[];
  /** What the producer `narrow` may have in the second one. */
  let quota = 10;
  before(async () => {
    const identity = await openIdentity({ tokens: [{ token: 'client-test-token', actor: 'tester' }] });
    const quotaOf = (producer: string) => (producer === 'narrow' ? { maximum_bytes: quota, maximum_packages: null } : undefined);
    servers = [await openServer(), await openServer({ identity: { ...identity, quotaOf } }), await openServer()];
    registries = servers.map((server) => server.connect());
    sources = servers.map(({ url, token }) => connectSource({ url, token, patienceSeconds: 1 }));
  });
  after(async () => {
    for (const source of sources) await source.close();
    for (const server of servers) await server.close();
  });

  async function copy(from: number, to: number, options: ImportOptions = {}): Promise<ImportReport> {
    const { report, failure } = await createImporter(sources[from]!, registries[to]!, options).all();
    if (failure !== undefined) throw failure;
    return report;
  }

  async function seal(at: number, producer: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<Package> {
    const registry = registries[at]!;
    const input = { name: producer, producer, subject: producer, retention_class: 'raw-evidence', metadata: { n: 1 } };
    const { record } = await registry.packages.create(input);
    async function* bodies(): AsyncIterable<NewFile> {
      for (const [relative_path, content] of Object.entries(files)) {
        const more = relative_path === 'run' ? { annotations: { mode: 'executable' }, media_type: 'text/x-shellscript' } : {};
        yield { relative_path, body: bytesBody(Buffer.from(content)), ...more };
      }
    }
    await registry.files.addMany(record.id, bodies());
    await registry.packages.finalize(record.id);
    return (await registry.packages.get(record.id))!;
  }

  const copies = async (at: number, { id }: Package): Promise<readonly Package[]> => {
    const { items } = await registries[at]!.packages.list({ limit: 1000 });
    return items.filter(({ metadata }) => String(metadata.artifactstore_origin).endsWith(`/${id}`));
  };
  const only = ({ packages }: ImportReport): unknown => Object.fromEntries(Object.entries(packages).filter(([, count]) => count > 0));
  const by = (producer: string): ImportOptions => ({ producers: [producer] });

  test('brings every member of a file, and two at once make one copy', async () => {
    const small = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`d/${index}`, `bytes ${index}`]));
    const original = await seal(0, 'whole', { ...small, run: '#!/bin/sh\n', large: Buffer.alloc(600_000, 'x') });
    const reports = await Promise.all([copy(0, 1, by('whole')), copy(0, 1, by('whole'))]);
    for (const { packages } of reports) assert.equal(packages.copied + packages.present, 1);
    const [made, ...others] = await copies(1, original);
    assert.deepEqual([made?.status, others.length, made?.file_count], ['finalized', 0, 302]);
    const files = async (at: number, id: string) => {
      const page = await registries[at]!.files.list(id, { limit: 1000 });
      return page.items.map(({ relative_path, content_address, media_type, annotations }) => [
        relative_path,
        content_address,
        media_type,
        annotations,
      ]);
    };
    assert.deepEqual(await files(1, made!.id), await files(0, original.id));
  });

  test('takes no copy of its own back, along any way, and refuses to be copied to itself', async () => {
    const original = await seal(0, 'ring', { a: 'around' });
    await copy(0, 1, by('ring'));
    assert.deepEqual(only(await copy(1, 2, by('ring'))), { copied: 1 });
    // A copy of a copy says of what it is one.
    assert.match(canonicalJson((await copies(2, (await copies(1, original))[0]!))[0]!.metadata), new RegExp(original.id));
    assert.deepEqual(only(await copy(2, 0, by('ring'))), { from_here: 1 });
    assert.deepEqual(only(await copy(1, 0, by('ring'))), { from_here: 1 });
    const before = (await registries[0]!.health()).last_sequence;
    await using itself = connectSource({ url: servers[0]!.url.replace('127.0.0.1', 'localhost'), token: servers[0]!.token });
    const { failure } = await createImporter(itself, registries[0]!).all();
    assert.ok(isArtifactstoreError(failure, 'invalid_value'));
    assert.equal(failure.info?.same_registry, true);
    assert.equal((await registries[0]!.health()).last_sequence, before);
  });

  test('names a quota that is full once for all packages, and resumes when there is room', async () => {
    const large = await seal(0, 'narrow', { a: 'four', b: 'and more than ten bytes' });
    await seal(0, 'narrow', { a: 'more than ten bytes' });
    const found = await copy(0, 1, { ...by('narrow'), jobs: 1 });
    assert.deepEqual(only(found), { failed: 2 });
    assert.deepEqual([...new Set(found.problems.map(({ code }) => code))], ['quota_exceeded']);
    assert.equal((await registries[1]!.packages.list({ producer: 'narrow' })).items.length, 1);
    quota = 1000;
    assert.deepEqual(only(await copy(0, 1, by('narrow'))), { copied: 2 });
    assert.equal((await copies(1, large)).length, 1);
  });

  test('says where a copy holds other files, and leaves it as it is', async () => {
    const original = await seal(0, 'other', { a: 'a', b: Buffer.alloc(300_000, 'b') });
    await using broken = connectSource({ url: servers[0]!.url, token: servers[0]!.token });
    const without: Source = {
      ...broken,
      bytes: (file, offset, signal) => (file.relative_path === 'b' ? nothing() : broken.bytes(file, offset, signal)),
    };
    const half = await createImporter(without, registries[1]!, by('other')).all();
    assert.deepEqual([only(half.report), half.report.problems[0]?.code], [{ failed: 1 }, 'integrity_failure']);
    const [made] = await copies(1, original);
    await registries[1]!.files.add(made!.id, { relative_path: 'c', body: bytesBody(Buffer.from('of somebody else')) });
    const found = await copy(0, 1, by('other'));
    assert.match(found.problems[0]!.detail, /holds other files than the original/);
    assert.deepEqual([found.problems[0]!.code, (await copies(1, original))[0]!.status], ['integrity_failure', 'created']);
    // Where it was ended, the next run makes another.
    await registries[1]!.packages.abandon(made!.id);
    assert.deepEqual(only(await copy(0, 1, by('other'))), { copied: 1 });
  });

  test('continues a large file where it was stopped', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'artifactstore-import-'));
    after(() => rmSync(folder, { recursive: true, force: true }));
    const bytes = Buffer.alloc(6_000_000);
    for (let index = 0; index < bytes.length; index += 4) bytes.writeUInt32LE(index, index);
    const original = await seal(0, 'large', { bytes });
    const stop = new AbortController();
    const [origin] = sources as readonly [Source];
    const arrived = () => someArrived(servers[1]!.directory, 2_000_000);
    const stopping: Source = {
      ...origin,
      bytes: (file, offset, signal) => stopAfter(origin.bytes(file, offset, signal), 3_000_000, arrived, stop),
    };
    const options = { ...by('large'), cacheDirectory: join(folder, 'cache'), resumableAbove: 1_000_000 };
    const first = await createImporter(stopping, registries[1]!, { ...options, signal: stop.signal }).all();
    assert.ok(first.failure !== undefined);
    const second = await copy(0, 1, options);
    assert.deepEqual(only(second), { copied: 1 });
    assert.ok(second.sent_bytes < 4_000_000, String(second.sent_bytes));
    assert.equal((await copies(1, original))[0]!.total_bytes, bytes.length);
  });

  test('is kept up by the log: what is sealed, held and extended later, and what failed is tried again', async () => {
    await seal(0, 'mirror', { a: 'before' });
    const seen: PackageCopy[] = [];
    const stop = new AbortController();
    const importer = createImporter(sources[0]!, registries[1]!, {
      ...by('mirror'),
      signal: stop.signal,
      onPackage: (copied) => void seen.push(copied),
    });
    let first: ImportReport | undefined;
    const following = followSource(sources[0]!, importer, {
      signal: stop.signal,
      waitSeconds: 1,
      againSeconds: 0.2,
      onImported: ({ report }) => {
        first = report;
      },
    });
    await until(() => first !== undefined);
    assert.deepEqual(only(first!), { copied: 1 });
    const later = await seal(0, 'mirror', { a: 'later' });
    await until(() => seen.some(({ original, state }) => original.id === later.id && state === 'copied'));
    const hold = await registries[0]!.retention.hold(later.id, { reason: 'audit' });
    const [made] = await copies(1, later);
    const holds = async () => (await registries[1]!.retention.show(made!.id)).holds;
    await until(async () => (await holds()).length === 1);
    await registries[0]!.retention.extend(later.id, { new_expires_at: null, reason: 'for ever' });
    await until(async () => (await registries[1]!.packages.get(made!.id))!.expires_at === null);
    await registries[0]!.retention.release(later.id, hold.id, { reason: 'settled' });
    await until(async () => (await holds())[0]!.released_at !== null);
    stop.abort();
    await assert.rejects(following);
    assert.equal((await holds()).length, 1);
  });
});

async function* nothing(): AsyncIterable<Uint8Array> {
  yield new Uint8Array(1);
}

/** Whether an upload has so many bytes at the server. */
function someArrived(directory: string, bytes: number): boolean {
  const paths = globSync('**/upload-*', { cwd: directory }).map((path) => join(directory, path));
  return paths.some((path) => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) >= bytes);
}

async function* stopAfter(
  body: AsyncIterable<Uint8Array>,
  bytes: number,
  arrived: () => boolean,
  stop: AbortController,
): AsyncIterable<Uint8Array> {
  let sent = 0;
  for await (const chunk of body) {
    yield chunk;
    sent += chunk.length;
    if (sent >= bytes) {
      while (!arrived()) await sleep(20);
      stop.abort();
    }
  }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_200; tries++) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error('It did not come to be.');
}
