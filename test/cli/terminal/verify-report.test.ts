import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createOutput } from '../../../src/cli/terminal/output.ts';
import { reportVerification } from '../../../src/cli/terminal/verify-report.ts';
import type { KnownManifest } from '../../../src/client/verify/known-manifest.ts';
import type { Verification } from '../../../src/client/verify/verify-package.ts';
import type { Manifest } from '../../../src/kernel/manifest.ts';

const provenance = { finalized_at: '2026-01-31T10:00:00.000Z', finalized_by: 'ci', registry_id: 'r', software: 'artifactstore/0' };
const known: KnownManifest = {
  manifest: { files: [], provenance } as unknown as Manifest,
  digest: 'blake3:0',
  bytes: new Uint8Array(),
  source: 'server',
  path: null,
  confirmedBy: ['server'],
};
const nothing = { packageId: 'p', known, totalBytes: 0, findings: [], leftFolders: [], interruption: undefined };

/** What is printed, and what is thrown. */
async function report(verification: Partial<Verification>, json = false): Promise<{ readonly said: string; readonly thrown: unknown }> {
  const stream = () => new PassThrough() as unknown as NodeJS.WriteStream & PassThrough;
  const [stdout, stderr] = [stream(), stream()];
  const output = createOutput({ stdout, stderr, environment: {}, json, quiet: false, color: false });
  const thrown = await reportVerification(output, { ...nothing, ...verification }, 'http://s').catch((error: unknown) => error);
  return { said: (stdout.read() as Uint8Array | null)?.toString() ?? '', thrown };
}

test('a verification that was interrupted says what it had found, never that all is right', async () => {
  const interruption = new Error('the server has gone');
  assert.deepEqual(await report({ interruption }), { said: '', thrown: interruption });
  const findings = [{ relative_path: 'a', problem: 'damaged', detail: '1 bytes instead of 2' }] as const;
  const { said, thrown } = await report({ interruption, findings });
  assert.match(said, /^damaged +a +1 bytes instead of 2$/m);
  assert.equal(thrown, interruption);
  const json = JSON.parse((await report({ interruption, findings }, true)).said) as { readonly ok: boolean; readonly complete: boolean };
  assert.deepEqual([json.ok, json.complete], [false, false]);
});
