import { execFile } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { openStore } from '../src/compose/open-store.ts';
import { readConfig } from '../src/config/config.ts';
import { createServer } from '../src/doors/rest/server.ts';
import { createLog } from '../src/http/log.ts';
import { openIdentity } from '../src/identity/open.ts';
import type { WriteHandle } from '../src/registry/REGISTRY.ts';
import { withCertificate } from '../test/registry/write-sessions/presigned-bucket.ts';
import { settingsFor } from '../test/stores/place.ts';
import { startRgw, whyNoRgw } from '../test/stores/rgw.ts';
import { type Figure, median, progress, report } from './figure.ts';
import { openWorkspace } from './workspace.ts';

const run = promisify(execFile);
const megabytes = Number(process.env.ARTIFACTSTORE_BENCH_MEBIBYTES ?? 512);
const repetitions = Number(process.env.ARTIFACTSTORE_BENCH_REPETITIONS ?? 3);

/**
 * What the server computes for one large object of a write session on a Ceph gateway, in seconds of a processor: when
 * it comes through the server, and when its sender writes it to the gateway by a presigned address. curl sends, the
 * gateway is three other processes, and one reading of the object with both digests is measured by itself.
 */
export async function presigned(): Promise<readonly Figure[]> {
  if (whyNoRgw() !== undefined) return [{ name: 'an object by a presigned address', value: undefined, unit: 's', note: whyNoRgw()! }];
  using workspace = openWorkspace(4 * megabytes * 2 ** 20);
  const { directory } = workspace;
  const ceph = join(directory, 'ceph');
  mkdirSync(ceph);
  await using rgw = await startRgw({ directory: ceph });
  const certified = await withCertificate(settingsFor(rgw, await rgw.createBucket()));
  await using store = await openStore(readConfig(certified.environment, { directory }), { migrate: true });
  const token = 'bench-token-of-presigned';
  const server = await createServer({
    registryFor: store.as,
    identity: await openIdentity({ tokens: [{ token, actor: 'bench' }] }),
    secrets: [token],
    anonymousRead: false,
    version: '0.0.0-bench',
    log: createLog({ level: 'silent', stream: { write: () => undefined } }),
  });
  const url = await server.listen('127.0.0.1', 0);
  const runs = { proxied: [] as number[], presigned: [] as number[], reading: [] as number[] };
  const file = join(directory, 'object.bin');
  const { writeSessions } = store.as('bench');

  async function commit(name: 'proxied' | 'presigned', round: number): Promise<string> {
    const bytes = randomFillSync(Buffer.allocUnsafe(megabytes * 2 ** 20));
    writeFileSync(file, bytes);
    const objects = [{ name: 'object', sha256: createHash('sha256').update(bytes).digest('hex'), size_bytes: bytes.length }];
    const fixed = { scope: 's', producer: 'bench', subject: 'u', namespace: 'n', retention_class: 'transient', ttl_seconds: 3600 };
    const { record } = await writeSessions.open({ ...fixed, objects }, { idempotencyKey: `${name} ${round}` });
    const own = { url: `${url}/write-sessions/${record.id}/objects/object`, headers: { authorization: `Bearer ${token}` } };
    const before = process.cpuUsage();
    await send(file, name === 'proxied' ? own : record.objects[0]!.handle!);
    const { package_id } = await writeSessions.commit(record.id);
    runs[name].push(secondsSince(before));
    return package_id;
  }

  try {
    for (let round = 0; round < repetitions; round++) {
      await commit('proxied', round);
      const package_id = await commit('presigned', round);
      const before = process.cpuUsage();
      const read = await store.as('bench').files.open({ package_id, relative_path: 'object' });
      for await (const _ of read!.body);
      runs.reading.push(secondsSince(before));
      progress(JSON.stringify(Object.fromEntries(Object.entries(runs).map(([name, all]) => [name, all.at(-1)]))));
    }
  } finally {
    await server.close();
    await certified.remove();
  }
  const [proxied, direct, reading] = [median(runs.proxied), median(runs.presigned), median(runs.reading)];
  return [
    { name: `${megabytes} MiB through the server, CPU`, value: proxied, unit: 's' },
    { name: `one verified reading of ${megabytes} MiB, CPU`, value: reading, unit: 's' },
    {
      name: `${megabytes} MiB by a presigned address, CPU`,
      value: direct,
      unit: 's',
      against: { name: 'a tenth of the way through the server, and one reading', value: proxied / 10 + reading },
    },
  ];
}

async function send(path: string, { url, headers }: Pick<WriteHandle, 'url' | 'headers'>): Promise<void> {
  const told = Object.entries(headers).flatMap(([name, value]) => (name === 'content-length' ? [] : ['-H', `${name}: ${value}`]));
  await run('curl', ['-fsS', '-H', 'expect:', ...told, '-T', path, url]);
}

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000_000;
}

if (import.meta.main) await report(presigned);
