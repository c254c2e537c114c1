import { createHash, randomFillSync } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesBody, connectRegistry } from '../src/client/connect.ts';
import { pushDirectory } from '../src/client/push/push-directory.ts';
import { forEachLimited } from '../src/runtime/limit.ts';
import { type Figure, median, progress, report, seconds } from './figure.ts';
import { createPackage, startArtifactstore } from './server.ts';
import { download, newContent, upload } from './transfer.ts';
import { openWorkspace, settleDisk } from './workspace.ts';

/**
 * 1,000 files of 64 KiB from a directory, by a write session (opened, each put, committed) against `pushDirectory`,
 * which sends small files many in one request; and 1 GiB from its stable address against the same by the file's id.
 */
export async function sessions(): Promise<readonly Figure[]> {
  using workspace = openWorkspace(8 * 2 ** 30);
  const { directory } = workspace;
  await using server = await startArtifactstore(directory);
  const token = server.authorization.slice('Bearer '.length);
  await using registry = connectRegistry({ url: server.url, token });

  const runs = { session: [] as number[], push: [] as number[] };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const way of ['session', 'push'] as const) {
      const tree = join(directory, `${way}-${repetition}`);
      makeTree(tree);
      settleDisk();
      runs[way].push(await seconds(() => (way === 'session' ? bySession(tree) : byPush(tree))));
      rmSync(tree, { recursive: true });
      settleDisk();
    }
    progress(`session ${runs.session.at(-1)!.toFixed(2)} s, push ${runs.push.at(-1)!.toFixed(2)} s`);
  }

  async function bySession(tree: string): Promise<void> {
    const files = names().map((name) => ({ name, bytes: readFileSync(join(tree, name)) }));
    const objects = files.map(({ name, bytes }) => ({
      name,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      size_bytes: bytes.length,
    }));
    const request = {
      scope: 'bench',
      producer: 'bench',
      subject: 'sessions',
      namespace: tree,
      retention_class: 'transient',
      ttl_seconds: 600,
    };
    const { record } = await registry.writeSessions.open({ ...request, objects }, { idempotencyKey: tree });
    await forEachLimited(files, concurrent, async ({ name, bytes }) => {
      await registry.writeSessions.put(record.id, name, bytesBody(bytes), { size_bytes: bytes.length });
    });
    await registry.writeSessions.commit(record.id);
  }

  async function byPush(tree: string): Promise<void> {
    await pushDirectory(registry, tree, { name: tree, producer: 'bench', subject: 'sessions', retention_class: 'transient' });
  }

  const packageId = await createPackage(server, 'stable');
  const headers = { authorization: server.authorization };
  const answer = await upload('PUT', `${server.url}/packages/${packageId}/files/large`, headers, newContent(largeBytes));
  const { id, digest_sha256 } = JSON.parse(answer.body) as { readonly id: string; readonly digest_sha256: string };
  settleDisk();
  const reads = { stable: [] as number[], byId: [] as number[] };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    reads.byId.push(await seconds(() => download(`${server.url}/files/${id}/download`, headers)));
    reads.stable.push(await seconds(() => download(`${server.url}/objects/sha256:${digest_sha256}/large.bin`, headers)));
    progress(`by id ${reads.byId.at(-1)!.toFixed(2)} s, at /objects ${reads.stable.at(-1)!.toFixed(2)} s`);
  }

  const each = (times: readonly number[]): number => fileCount / median(times);
  const rate = (times: readonly number[]): number => largeBytes / 1e6 / median(times);
  return [
    {
      name: `1,000 files of 64 KiB by a write session, ${concurrent} at a time`,
      value: each(runs.session),
      unit: '/s',
      against: { name: 'push', value: each(runs.push) },
      bar: { of: 'ratio', atLeast: 1 / 1.5 },
    },
    {
      name: '1 GiB from /objects/sha256:…/name',
      value: rate(reads.stable),
      unit: 'MB/s',
      against: { name: 'by id', value: rate(reads.byId) },
      bar: { of: 'ratio', atLeast: 0.95 },
    },
  ];
}

const repetitions = 5;
const fileCount = 1_000;
const fileBytes = 65_536;
const concurrent = 32;
const largeBytes = 2 ** 30;

function names(): readonly string[] {
  return Array.from({ length: fileCount }, (_, index) => `file-${index}`);
}

function makeTree(tree: string): void {
  mkdirSync(tree);
  const bytes = Buffer.alloc(fileBytes);
  for (const name of names()) writeFileSync(join(tree, name), randomFillSync(bytes));
}

if (import.meta.main) await report(sessions);
