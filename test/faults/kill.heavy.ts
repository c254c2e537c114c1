import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inspectRegistry } from './inspect.ts';
import { runWriter } from './run-writer.ts';
import type { Line } from './writer.ts';

const rounds = Number(process.env.ARTIFACTSTORE_TEST_ROUNDS ?? 4);

describe('a writer that is killed at any moment', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'artifactstore-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it('has lost nothing that it acknowledged, and left nothing torn', async () => {
    const everything: Line[] = [];
    for (let round = 0; round < rounds; round++) {
      // Every fourth dies while it starts, the first time while it makes the tables; the others while they write.
      const starting = round % 4 === 0;
      const ended = await runWriter({
        directory,
        name: `round ${round}`,
        smallObjectBytes: round % 2 === 0 ? 65_536 : 0,
        ...(starting
          ? { killAfter: 250 + Math.random() * 500 }
          : {
              onFirst(kill) {
                setTimeout(kill, Math.random() * 400);
              },
            }),
      });
      assert.equal(ended.how, 'SIGKILL', ended.stderr);
      everything.push(...ended.lines);
      await inspectRegistry(directory, ended.lines);
    }
    await inspectRegistry(directory, everything);
    assert.ok(
      everything.some(({ kind }) => kind === 'added'),
      'nothing was acknowledged: this tested nothing',
    );
  });
});
