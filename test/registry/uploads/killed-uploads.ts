import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { killAfter } from '../killed-process.ts';
import { localRoot, openTestRegistry } from '../open-registry.ts';

const appends = fileURLToPath(new URL('./append-process.ts', import.meta.url));
const bringsWhole = fileURLToPath(new URL('./whole-process.ts', import.meta.url));

/** What lies at each place of the upload. */
export function patternAt(offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index++) bytes[index] = (Math.imul(offset + index, 2_654_435_761) >>> 13) & 0xff;
  return bytes;
}

/** Kills one process after another that continues an upload, each so many milliseconds after its first byte counted. */
export async function killAppenders(delays: readonly number[]): Promise<void> {
  await using store = await openTestRegistry();
  const registry = store.as('tester');
  const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
  const { id } = await registry.uploads!.begin({ package_id: record.id, relative_path: 'a' });
  let least = 0;
  for (const delay of delays) {
    const printed = await offsetsOf(store.directory, id, delay);
    assert.ok(printed[0]! >= least, `an offset of ${least} was acknowledged, and the next process found ${printed[0]}`);
    least = printed.at(-1)!;
  }
  const settled = (await registry.uploads!.status(id, { settle: true }))!;
  assert.ok(settled.offset_bytes >= least, `${least} was acknowledged, and ${settled.offset_bytes} is there`);
  assert.ok(least > 0, 'nothing was acknowledged');
  const made = await registry.uploads!.finish(id);
  assert.equal(made.record.size_bytes, settled.offset_bytes);
  const opened = await registry.files.open({ file_id: made.record.id });
  let at = 0;
  for await (const chunk of opened!.body) {
    assert.equal(Buffer.compare(chunk, patternAt(at, chunk.length)), 0, `a wrong byte after ${at}`);
    at += chunk.length;
  }
  assert.equal(at, settled.offset_bytes);
}

/**
 * Kills one process after another that brings short files whole, each so many milliseconds after its first was
 * answered: what was answered is there, what was not is a whole file or none, and a collection leaves no other byte.
 */
export async function killBringers(delays: readonly number[]): Promise<void> {
  await using store = await openTestRegistry();
  const registry = store.as('tester');
  const { id } = (await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' })).record;
  const answered = new Set<string>();
  for (const [index, delay] of delays.entries())
    for (const path of await linesOf(bringsWhole, [store.directory, id, String(index)], delay)) answered.add(path);
  assert.ok(answered.size >= delays.length, 'nothing was answered');
  let found = 0;
  for (let cursor: string | undefined, more = true; more; ) {
    const page = await registry.files.list(id, cursor === undefined ? {} : { cursor });
    for (const { id: file_id, relative_path, size_bytes } of page.items) {
      answered.delete(relative_path);
      found += 1;
      const [number, size] = relative_path.split('/')[1]!.split('-').map(Number) as [number, number];
      assert.equal(size_bytes, size);
      const opened = await registry.files.open({ file_id });
      const bytes = Buffer.concat(await Array.fromAsync(opened!.body, (chunk) => Buffer.from(chunk)));
      for (let at = 0; at < size; at += 30_000)
        assert.equal(
          Buffer.compare(bytes.subarray(at, at + 30_000), patternAt(number + at, Math.min(30_000, size - at))),
          0,
          relative_path,
        );
    }
    cursor = page.next_cursor ?? undefined;
    more = cursor !== undefined;
  }
  assert.deepEqual([...answered], [], 'files were answered, and are not there');
  for (const { id: open } of (await store.operator.listUploads({ limit: 1000 })).items) await store.operator.abandonUpload(open);
  await store.operator.collect({ draftAgeSeconds: -1 });
  assert.deepEqual(await readdir(join(localRoot(store.config), 'drafts')), []);
  assert.ok(found > 0);
}

async function offsetsOf(directory: string, id: string, delay: number): Promise<readonly number[]> {
  return (await linesOf(appends, [directory, id], delay)).map(Number);
}

/** The lines that the process had printed. */
async function linesOf(script: string, parameters: readonly string[], delay: number): Promise<readonly string[]> {
  // The first line says where it begins, the second that it added something.
  const { printed, killed } = await killAfter(script, { parameters, lines: 2, delay });
  assert.ok(killed, 'the process ended by itself');
  return printed.split('\n').slice(0, -1);
}
