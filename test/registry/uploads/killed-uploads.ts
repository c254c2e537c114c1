import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { openTestRegistry } from '../open-registry.ts';

const script = fileURLToPath(new URL('./append-process.ts', import.meta.url));

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
    const printed = await killed(store.directory, id, delay);
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

function killed(directory: string, id: string, delay: number): Promise<readonly number[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, directory, id], { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    let timer: ReturnType<typeof setTimeout> | undefined;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      // The first line says where it begins, the second that it added something.
      if (printed.split('\n').length > 2) timer ??= setTimeout(() => child.kill('SIGKILL'), delay);
    });
    child.once('error', reject);
    child.once('close', (_, signal) => {
      clearTimeout(timer);
      const offsets = printed.split('\n').slice(0, -1).map(Number);
      if (signal === 'SIGKILL') resolve(offsets);
      else reject(new Error('the process ended by itself'));
    });
  });
}
