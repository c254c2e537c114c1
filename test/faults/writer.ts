import { setTimeout } from 'node:timers/promises';
import type { NewFile, Registry } from '../../src/registry/REGISTRY.ts';
import { bytesOf } from './bytes.ts';
import { openRegistryOn } from './registry-on.ts';
import { attempt, say as sayLine } from './say.ts';

/** What the writer prints, one JSON value a line, the moment it knows. */
export type Line =
  | { readonly kind: 'ready' }
  | { readonly kind: 'added'; readonly package_id: string; readonly relative_path: string; readonly label: string }
  /** Said before it is asked for: from here on its files may be gone. */
  | { readonly kind: 'abandoning'; readonly package_id: string }
  | { readonly kind: 'finalized'; readonly package_id: string; readonly manifest_digest: string }
  | { readonly kind: 'refused'; readonly code: string }
  /** What the log of an operator tells. */
  | { readonly kind: 'incident'; readonly what: string };

/**
 * Runs until it is killed, or until it tried to add `limit` files: several lanes that add files, one by one and in
 * bulk, some of them of bytes that others push at the same moment, and seal or give up their packages; one that
 * collects what was given up.
 */
const [directory, name, limit, smallObjectBytes] = process.argv.slice(2) as [string, string, string, string];
const lanes = 4;
const filesPerPackage = 12;
let tried = 0;
const say = (line: Line): void => sayLine(line);

function newFile(relative_path: string, label: string): NewFile {
  const bytes = bytesOf(label);
  async function* body() {
    for (let first = 0; first < bytes.length; first += 65_536) yield bytes.subarray(first, first + 65_536);
  }
  return { relative_path, body: body() };
}

function label(lane: number, round: number, index: number): string {
  return index % 4 === 3 ? `shared ${name} ${round} ${index}` : `${name} ${lane} ${round} ${index}`;
}

async function fillPackage(registry: Registry, lane: number, round: number): Promise<void> {
  const created = await attempt(() =>
    registry.packages.create({ name: `${lane}`, producer: name, subject: 'faults', retention_class: 'transient' }),
  );
  if (created === undefined) {
    tried += 1;
    return;
  }
  const package_id = created.record.id;
  for (let index = 0; index < filesPerPackage; index++) {
    tried += 1;
    const own = label(lane, round, index);
    if (index % 6 < 5) {
      const relative_path = `one/${index}`;
      const added = await attempt(() => registry.files.add(package_id, newFile(relative_path, own)));
      if (added !== undefined) say({ kind: 'added', package_id, relative_path, label: own });
      continue;
    }
    const labels = [`${own} a`, `${own} b`, label(lane, round, 3)];
    async function* files() {
      for (const [part, each] of labels.entries()) yield newFile(`many/${index}/${part}`, each);
    }
    const added = await attempt(() => registry.files.addMany(package_id, files()));
    if (added !== undefined)
      for (const [part, each] of labels.entries()) say({ kind: 'added', package_id, relative_path: `many/${index}/${part}`, label: each });
  }
  if (round % 3 === 1) {
    say({ kind: 'abandoning', package_id });
    await attempt(() => registry.packages.abandon(package_id));
    return;
  }
  const sealed = await attempt(() => registry.packages.finalize(package_id));
  if (sealed !== undefined) say({ kind: 'finalized', package_id, manifest_digest: sealed.manifest_digest });
}

const store = await attempt(() =>
  openRegistryOn({ database: directory, storage: directory }, { ARTIFACTSTORE_SMALL_OBJECT_BYTES: smallObjectBytes }, ({ kind }) =>
    say({ kind: 'incident', what: kind }),
  ),
);
if (store !== undefined) {
  const registry = store.as('writer');
  say({ kind: 'ready' });
  await Promise.all([
    ...Array.from({ length: lanes }, async (_, lane) => {
      for (let round = 0; tried < Number(limit); round++) await fillPackage(registry, lane, round);
    }),
    (async () => {
      while (tried < Number(limit)) {
        await attempt(() => store.operator.collect());
        await setTimeout(20);
      }
    })(),
  ]);
  await store.close();
}
