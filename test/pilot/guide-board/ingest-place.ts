import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Package } from '../../../src/registry/REGISTRY.ts';
import { writeGuideBoardRun } from '../../../tools/guide-board-run.ts';
import { openWorkplace, type RunningServer, type Workplace } from '../../cli/workplace.ts';

export interface Ingested {
  readonly package_id: string;
  readonly manifest_digest: string;
  readonly file_count: number;
  readonly reused_existing: boolean;
}

/** Where the tests of a file run commands, and the server behind these. Both are there when the first test runs. */
export let place: Workplace;
export let server: RunningServer;
let count = 0;
before(async () => {
  place = openWorkplace({ ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml' });
  place.write({ 'retention.toml': '[retention_classes.brief]\ndefault_duration_seconds = 1\n' });
  server = await place.serve('serve', '--port', '0');
});
after(() => place[Symbol.dispose]());

/** A run of its own. */
export function newRun(items = 12): { readonly id: string; readonly path: string } {
  count += 1;
  const id = `run-20260514T0000${String(count).padStart(2, '0')}Z`;
  writeGuideBoardRun(place.path(id), { runId: id, items, seed: count });
  return { id, path: place.path(id) };
}

export async function ingest(directory: string, ...more: readonly string[]): Promise<Ingested> {
  const { code, stdout, stderr } = await place.run('guide-board', 'ingest', directory, ...more);
  assert.deepEqual([code, stderr], [0, '']);
  return JSON.parse(stdout) as Ingested;
}

export async function ask<T>(path: string): Promise<T> {
  return (await (await fetch(server.url + path, { headers: { authorization: 'Bearer cli-test-token' } })).json()) as T;
}

export async function packagesOf(runId: string): Promise<readonly Package[]> {
  return (await ask<{ items: Package[] }>(`/packages?producer=guide-board&metadata.run_id=${runId}`)).items;
}
