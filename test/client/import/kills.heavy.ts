import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ImportReport } from '../../../src/client/import/report.ts';
import { openServedWorkplace } from '../../cli/served-workplace.ts';
import { finished } from '../../cli/workplace.ts';
import { openRegistry01, token01 } from './registry-01.ts';

const kills = 8;

/** A process that is killed anywhere, and begun again, is one run: the same copies, each once. */
describe('an import that is killed again and again', () => {
  test('comes to what a run without a kill comes to, and makes nothing twice', async (context) => {
    await using served = await openServedWorkplace();
    await using old = await openRegistry01();
    const large = Buffer.alloc(20_000_000);
    for (let index = 0; index < large.length; index += 4) large.writeUInt32LE(index, index);
    const originals = Array.from({ length: 40 }, (_, at) =>
      old.seal({
        name: `package ${at}`,
        files: {
          ...Object.fromEntries(Array.from({ length: 12 }, (_file, index) => [`d/${index}`, `bytes ${index} of ${at}`])),
          same: 'in all of them',
          ...(at % 20 === 7 ? { large } : {}),
        },
        more: { expires_at: '2099-01-01T00:00:00.000Z' },
      }),
    );
    const hold = { id: '5f0f4f7e-32a1-4b73-9d3f-6f5cf2f1a001', reason: 'audit', owner: 'lawyer', applied_at: '2026-02-01T00:00:00.000Z' };
    for (const original of originals) original.holds = [{ ...hold, released_at: null }];
    // Slow enough that a kill finds it at work.
    old.intercept = async () => {
      await sleep(Math.random() * 20);
      return false;
    };
    const { place, registry } = served;
    const variables = { ARTIFACTSTORE_SOURCE_TOKEN: token01 };
    const doneAt: number[] = [];
    let dead = 0;
    while (dead < kills) {
      const asked = old.asked.length;
      const child = place.startInto('pipe', variables, 'import', '--from', old.url, '--json');
      child.stdout!.resume();
      const exited = once(child, 'exit');
      // By what it has asked, and not by the clock: so it dies at work, however slow the machine is.
      const last = asked + 1 + Math.floor(Math.random() * 150);
      while (old.asked.length < last && child.exitCode === null) await sleep(5);
      child.kill('SIGKILL');
      const [, signal] = (await exited) as [number | null, string | null];
      const { items } = await registry.packages.list({ limit: 1000 });
      doneAt.push(items.filter(({ status }) => status === 'finalized').length);
      dead += 1;
      if (signal === null) break;
    }
    context.diagnostic(`sealed after each kill: ${doneAt.join(', ')}`);
    assert.ok(doneAt[0]! < originals.length, 'the first kill came too late');
    assert.ok(doneAt.at(-1)! > 0, 'every kill came too early');
    const child = place.startInto('pipe', variables, 'import', '--from', old.url, '--json');
    const { code, stdout, stderr } = await finished(child);
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout) as ImportReport & { readonly complete: boolean };
    assert.deepEqual([report.packages.copied + report.packages.present, report.complete], [40, true]);

    const { items } = await registry.packages.list({ limit: 1000 });
    assert.deepEqual([items.length, new Set(items.map(({ status }) => status))], [40, new Set(['finalized'])]);
    for (const { id, record, files } of originals) {
      const found = items.filter(({ metadata }) => metadata.artifactstore_origin === `${old.registryId}/${id}`);
      assert.equal(found.length, 1);
      const copied = await registry.files.list(found[0]!.id, { limit: 1000 });
      assert.deepEqual(
        new Map(copied.items.map(({ relative_path, content_address }) => [relative_path, content_address])),
        new Map(files.map(({ relative_path, address }) => [relative_path, address])),
      );
      const { holds } = await registry.retention.show(found[0]!.id);
      assert.deepEqual([found[0]!.expires_at, holds.length, found[0]!.name], ['2099-01-01T00:00:00.000Z', 1, record.name]);
    }
    const again = await finished(place.startInto('pipe', variables, 'import', '--from', old.url, '--json'));
    const nothing = JSON.parse(again.stdout) as ImportReport;
    assert.deepEqual([nothing.packages.present, nothing.packages.copied, nothing.sent_bytes], [40, 0, 0]);
  });
});
