import crypto from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import type { Store } from '../../src/compose/open-store.ts';
import { openRegistry, readConfig } from '../../src/index.ts';
import type { Registry } from '../../src/registry/REGISTRY.ts';
import { bytesOf } from './bytes.ts';
import { draftName } from './matrix-draft-name.ts';
import { fileOf, readBytes } from './registry-on.ts';
import { attempt, say as sayLine } from './say.ts';
import type { Line } from './writer.ts';

/** What the worker prints, one JSON value a line, the moment it knows. */
export type MatrixLine =
  | Line
  | { readonly kind: 'collected'; readonly package_id: string }
  | { readonly kind: 'verified'; readonly bad: number }
  /** After everything else: a new file was added and read. */
  | { readonly kind: 'served' };

/**
 * `prepare` leaves what the others work on: each is a process of its own, so that a fault strikes a known step. `hold`
 * and `fill` add small files with the log; `fill` leaves for `settle` what is held, and dies of its own accord.
 */
export type Phase = 'prepare' | 'ingest' | 'collect' | 'verify' | 'hold' | 'fill' | 'settle';

const [databaseFolder, storageFolder, phase, seed] = process.argv.slice(2) as [string, string, Phase, string];

// Names of drafts that are known beforehand can be given to strace.
let drafts = 0;
crypto.randomUUID = () => draftName(phase, drafts++);
syncBuiltinESMExports();

let random = Number(seed);

/** Park and Miller's generator: the same mixture for the same seed. */
function below(limit: number): number {
  random = (random * 48_271) % 2_147_483_647;
  return random % limit;
}

const say = (line: MatrixLine): void => sayLine(line);

/** Asks again when it was refused: the fault is over by then. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  return (await attempt(work)) ?? (await attempt(work)) ?? (await work());
}

async function create(registry: Registry, retention_class = 'transient'): Promise<string> {
  const { record } = await insist(() => registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class }));
  return record.id;
}

async function addOne(registry: Registry, package_id: string, label: string): Promise<boolean> {
  const relative_path = `one/${label}`;
  const added = await attempt(() => registry.files.add(package_id, fileOf(relative_path, bytesOf(label))));
  if (added !== undefined) say({ kind: 'added', package_id, relative_path, label });
  return added !== undefined;
}

async function addSeveral(registry: Registry, package_id: string, labels: readonly string[]): Promise<boolean> {
  async function* files() {
    for (const label of labels) yield fileOf(`many/${label}`, bytesOf(label));
  }
  const added = await attempt(() => registry.files.addMany(package_id, files()));
  if (added === undefined) return false;
  for (const label of labels) say({ kind: 'added', package_id, relative_path: `many/${label}`, label });
  return true;
}

async function seal(registry: Registry, package_id: string): Promise<void> {
  const sealed = await attempt(() => registry.packages.finalize(package_id));
  if (sealed !== undefined) say({ kind: 'finalized', package_id, manifest_digest: sealed.manifest_digest });
}

async function giveUp(registry: Registry, package_id: string): Promise<void> {
  say({ kind: 'abandoning', package_id });
  await attempt(() => registry.packages.abandon(package_id));
}

/**
 * Kept packages, given up ones and ones that expire, which share some of their bytes; and a draft that nobody will ask
 * for.
 */
async function prepare(registry: Registry): Promise<void> {
  for (const fate of ['kept', 'given up', 'expired'] as const) {
    const id = await create(registry, fate === 'expired' ? 'blink' : 'transient');
    for (let index = 0; index < 4; index++) await addOne(registry, id, `${fate} ${index}`);
    await addSeveral(registry, id, ['everywhere', `${fate} many`]);
    if (fate === 'given up') await giveUp(registry, id);
    else if (fate === 'kept') await seal(registry, id);
    else {
      say({ kind: 'abandoning', package_id: id });
      await registry.packages.finalize(id);
    }
  }
  await writeFile(join(storageFolder, 'drafts', draftName('collect', 0)), 'half of a bo');
  await setTimeout(1100);
}

async function ingest(registry: Registry): Promise<void> {
  const lane = async (name: string) => {
    for (let round = 0; round < 3; round++) {
      const id = await create(registry);
      let files = 0;
      for (let index = 0; index < 4; index++) {
        const label = below(5) === 0 ? `shared ${below(3)}` : `${name} ${round} ${index}`;
        const good =
          below(3) === 0 ? await addSeveral(registry, id, [`${label} a`, `${label} b`, `${label} c`]) : await addOne(registry, id, label);
        if (good) files += 1;
      }
      if (round === 1) {
        await giveUp(registry, id);
        checkpoint();
      } else if (files > 0) await seal(registry, id);
    }
  };
  await Promise.all([lane('left'), lane('right')]);
}

/** Files one by one and in bulk, some of bytes that are there; a package that is given up while its bytes are held. */
async function hold(registry: Registry): Promise<void> {
  const lane = async (name: string) => {
    const [id, other] = [await create(registry), await create(registry)];
    for (let index = 0; index < 4; index++) await addOne(registry, id, `${phase} ${name} ${index}`);
    await addSeveral(registry, id, ['everywhere', `${phase} both`, `${phase} ${name} many`]);
    await addOne(registry, other, `${phase} ${name} given up`);
    await giveUp(registry, other);
    await seal(registry, id);
  };
  await Promise.all([lane('left'), lane('right')]);
}

/** Until all that is held is in its backend. */
async function settle({ operator }: Store): Promise<void> {
  await insist(() => operator.settleHeld());
}

/** As another process may at any time. */
function checkpoint(): void {
  const database = new DatabaseSync(join(databaseFolder, 'artifactstore.db'), { timeout: 1000 });
  try {
    database.exec('pragma wal_checkpoint(restart)');
  } catch {
    // It is tried again when the registry is closed.
  } finally {
    database.close();
  }
}

async function collect({ operator }: Store): Promise<void> {
  await insist(() => operator.sweep());
  const { collected_package_ids } = await insist(() => operator.collect({ draftAgeSeconds: 0 }));
  for (const package_id of collected_package_ids) say({ kind: 'collected', package_id });
}

async function verify({ operator }: Store): Promise<void> {
  const { failed, missing } = await insist(() => operator.verifyStorage('local'));
  say({ kind: 'verified', bad: failed + missing });
}

const config = readConfig(
  {
    ARTIFACTSTORE_DATABASE_URL: `sqlite:${databaseFolder}/artifactstore.db`,
    ARTIFACTSTORE_STORAGE_LOCAL_ROOT: storageFolder,
    ARTIFACTSTORE_SMALL_OBJECT_BYTES: ['hold', 'fill', 'settle'].includes(phase) ? '65536' : '0',
    ARTIFACTSTORE_RETENTION_CONFIG_PATH: join(databaseFolder, 'retention.toml'),
  },
  { directory: databaseFolder },
);
const store = await insist(() => openRegistry({ config }));
const registry = store.as('worker');
say({ kind: 'ready' });
if (phase === 'prepare') await prepare(registry);
else {
  if (phase === 'ingest') await ingest(registry);
  else if (phase === 'collect') await collect(store);
  else if (phase === 'settle') await settle(store);
  else if (phase === 'verify') await verify(store);
  else await hold(registry);
  if (phase === 'fill') {
    // In one commit, at the end: the settler may have been at work before.
    await addSeveral(
      registry,
      await create(registry),
      Array.from({ length: 16 }, (_, index) => `fill last ${index}`),
    );
    process.kill(process.pid, 'SIGKILL');
  }
  const id = await create(registry);
  const bytes = Buffer.from('after everything');
  await insist(() => registry.files.add(id, fileOf('last', bytes)));
  if (bytes.equals((await readBytes(registry, id, 'last')).delivered)) say({ kind: 'served' });
}
await store.close();
