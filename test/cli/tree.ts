import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';

const segment = fc
  .oneof(
    fc.constantFrom(
      'a',
      'A',
      'ü',
      'u\u0308',
      '😀',
      '.hidden',
      '...',
      '-x',
      '--json',
      'a b',
      'q\'"',
      '%2F',
      'a+b&c=?#',
      '~',
      'con',
      '\u200b',
      '$HOME',
      '*',
    ),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  )
  .map((text) => text.replace(/[\p{Cc}/\\]/gu, '_'))
  .filter((text) => text !== '.' && text !== '..' && text.isWellFormed() && Buffer.byteLength(text) < 200);

const file = fc.record({
  path: fc.array(segment, { minLength: 1, maxLength: 4 }),
  content: fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ maxLength: 64 }), fc.integer({ min: 1, max: 700_000 }).map(patterned)),
  executable: fc.boolean(),
});

/** Writes a tree of odd names and sizes, the same for the same seed, and answers how many files it has. */
export function writeTree(root: string, seed: number): number {
  let count = 0;
  for (const { path, content, executable } of fc.sample(file, { seed, numRuns: 60 })) {
    const place = join(root, ...path);
    try {
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, content, { flag: 'wx' });
    } catch (error) {
      // A file stands where a folder would go, or the other way round.
      if (['EEXIST', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) continue;
      throw error;
    }
    chmodSync(place, executable ? 0o755 : 0o644);
    count += 1;
  }
  return count;
}

/** Path, executable bit and digest of every file: two trees are equal when these are. */
export function describeTree(root: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (directory: string, prefix: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) visit(path, `${prefix}${entry.name}/`);
      else {
        const mode = (lstatSync(path).mode & 0o111) === 0 ? '-' : 'x';
        found.set(`${prefix}${entry.name}`, `${mode} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`);
      }
    }
  };
  visit(root, '');
  return new Map([...found].sort(([left], [right]) => (left < right ? -1 : 1)));
}

export function patterned(size: number): Uint8Array {
  const bytes = Buffer.alloc(size);
  for (let index = 0; index + 4 <= size; index += 4) bytes.writeUInt32LE(Math.imul(index + size, 2_654_435_761) >>> 0, index);
  return bytes;
}
