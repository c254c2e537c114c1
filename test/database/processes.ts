import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { assertIntactLog, assertReplayable, type ConformanceDatabase } from '../../src/database/conformance.ts';
import type { DatabaseTarget } from '../../src/database/target.ts';
import { decodeCbor } from '../../src/kernel/format/cbor.ts';

const script = fileURLToPath(new URL('./writer-process.ts', import.meta.url));

/**
 * Processes write at once, and one after another is killed in the middle of it: what was acknowledged is there, and
 * nothing is torn.
 */
export async function killWriters(target: DatabaseTarget, database: ConformanceDatabase): Promise<void> {
  const steady = [startWriter(target, 300), startWriter(target, 300)];
  const acknowledged: string[] = [];
  for (const after of [1, 20, 90]) {
    const victim = startWriter(target, 1_000_000);
    acknowledged.push(...(await victim.killAfter(after)));
  }
  for (const writer of steady) {
    const names = await writer.finished();
    assert.equal(names.length, 300);
    acknowledged.push(...names);
  }

  const { sequence } = await assertIntactLog(database);
  const written = new Set<string>();
  for (let after = 0; after < sequence; after += 1_000)
    for (const event of await database.read('readEvents', { after, limit: 1_000 })) {
      const { name } = decodeCbor(event.payload) as { readonly name: string };
      assert.ok(!written.has(name), 'nothing is written twice');
      written.add(name);
    }
  assert.equal(written.size, sequence);
  for (const name of acknowledged) assert.ok(written.has(name), `${name} was acknowledged`);
  await assertReplayable(database);
}

interface WriterProcess {
  /** The names that it printed. */
  finished(): Promise<readonly string[]>;
  /** Kills it when it has printed that many; the names that it printed. */
  killAfter(count: number): Promise<readonly string[]>;
}

function startWriter(target: DatabaseTarget, times: number): WriterProcess {
  const child = spawn(process.execPath, [script, JSON.stringify(target), String(times)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  let printed = '';
  let onPrint = (): void => {};
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
    onPrint();
  });
  const names = (): string[] => printed.split('\n').slice(0, -1);
  return {
    async finished() {
      assert.equal(await exited, 0);
      return names();
    },
    async killAfter(count) {
      await new Promise<void>((resolve) => {
        onPrint = () => {
          if (names().length >= count) resolve();
        };
        onPrint();
        exited.then(() => resolve());
      });
      child.kill('SIGKILL');
      await exited;
      return names();
    },
  };
}
