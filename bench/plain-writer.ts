import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { blake3, toHex } from '../src/kernel/content/digest.ts';

/**
 * `node plain-writer.ts <tree> <root>`: what any program must do that stores the files of a tree durably under the
 * names of their bytes. Reads and digests are done beforehand; prints the seconds that the writing took. Run it with as
 * many libuv threads as lanes.
 */
async function main(tree: string, root: string): Promise<void> {
  const files = readdirSync(tree, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const bytes = readFileSync(join(entry.parentPath, entry.name));
      return { bytes, hex: toHex(blake3(bytes)) };
    });
  await mkdir(join(root, 'blake3'), { recursive: true });
  await mkdir(join(root, 'drafts'), { recursive: true });

  const start = performance.now();
  const rest = files.values();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const { bytes, hex } of rest) await store(root, bytes, hex);
    }),
  );
  process.stdout.write(`${(performance.now() - start) / 1000}\n`);
}

async function store(root: string, bytes: Uint8Array, hex: string): Promise<void> {
  const draft = join(root, 'drafts', randomUUID());
  const file = await open(draft, 'wx');
  await file.write(bytes);
  await file.sync();
  await file.close();
  const first = join(root, 'blake3', hex.slice(0, 2));
  const second = join(first, hex.slice(2, 4));
  await ensureDirectory(first, join(root, 'blake3'));
  await ensureDirectory(second, first);
  await link(draft, join(second, hex));
  await syncDirectory(second);
  await unlink(draft);
}

/** Made and durable in its parent once, however many ask at the same time. */
function ensureDirectory(path: string, parent: string): Promise<void> {
  let made = directories.get(path);
  if (made === undefined) {
    made = mkdir(path).then(() => syncDirectory(parent));
    directories.set(path, made);
  }
  return made;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  await directory.sync();
  await directory.close();
}

const directories = new Map<string, Promise<void>>();
const lanes = 16;

const [tree, root] = process.argv.slice(2);
if (tree === undefined || root === undefined) throw new Error('usage: node plain-writer.ts <tree> <root>');
await main(tree, root);
