import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ImportReport } from '../../../src/client/import/report.ts';
import { openServedWorkplace } from '../../cli/served-workplace.ts';
import { finished } from '../../cli/workplace.ts';
import { openRegistry01, token01 } from './registry-01.ts';

/** Of the process alone, from its start to its end. */
const mostMiB = 400;

test(`an import takes no more than ${mostMiB} MiB, for many packages, a long list of files and a large file`, {
  skip: process.platform !== 'linux' && 'memory is read from /proc',
}, async (context) => {
  await using served = await openServedWorkplace();
  await using old = await openRegistry01();
  for (let at = 0; at < 300; at++) old.seal({ name: `package ${at}`, files: { a: `of ${at}` } });
  const list = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`long/directory/${index}`, `${index % 7}`]));
  old.seal({ name: 'many files', files: list });
  old.seal({ name: 'a large file', files: { large: Buffer.alloc(150_000_000, 'large ') } });
  const child = served.place.startInto('pipe', { ARTIFACTSTORE_SOURCE_TOKEN: token01 }, 'import', '--from', old.url, '--json');
  let peak = 0;
  let ended = false;
  const watching = (async () => {
    for (; !ended; await sleep(50)) peak = Math.max(peak, peakOf(child.pid!));
  })();
  const { code, stdout, stderr } = await finished(child);
  ended = true;
  await watching;
  assert.equal(code, 0, stderr);
  const { packages, sent_bytes } = JSON.parse(stdout) as ImportReport;
  assert.equal(packages.copied, 302);
  context.diagnostic(`${packages.copied} packages, ${sent_bytes} bytes: ${Math.round(peak)} MiB at most`);
  assert.ok(peak > 0 && peak < mostMiB, `${peak} MiB`);
});

/** In MiB; what it was at its end where it has ended. */
function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
