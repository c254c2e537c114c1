import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry as MetricsRegistry } from 'prom-client';
import { createUsageGauges } from '../../src/doors/rest/gauges/usage.ts';
import type { Usage } from '../../src/registry/REGISTRY.ts';
import { mergeMetrics } from '../../src/serve/merge-metrics.ts';

test('metrics of several processes add up, and what all see of one store does not', () => {
  const text = (requests: number, sequence: number, more = '') =>
    `# HELP http_total Requests.\n# TYPE http_total counter\nhttp_total{route="/a{b}",status="200"} ${requests}\n${more}\n` +
    `# HELP artifactstore_last_sequence The last.\n# TYPE artifactstore_last_sequence gauge\nartifactstore_last_sequence ${sequence}\n`;
  assert.equal(
    mergeMetrics([text(2, 10), text(3.5, 12, 'http_total{route="/c",status="404"} 1')]),
    '# HELP http_total Requests.\n# TYPE http_total counter\nhttp_total{route="/a{b}",status="200"} 5.5\nhttp_total{route="/c",status="404"} 1\n\n' +
      '# HELP artifactstore_last_sequence The last.\n# TYPE artifactstore_last_sequence gauge\nartifactstore_last_sequence 12\n',
  );
});

test('how full the registry is does not add up', async () => {
  const counts = { packages: 1, files: 2, bytes: 3 };
  const run = { started_at: '2026-01-01T00:00:00.000Z', finished_at: '2026-01-01T00:00:01.000Z' };
  const usage: Usage = {
    counted_at: run.finished_at,
    last_sequence: 4,
    packages: { created: counts, finalized: counts, abandoned: counts, garbage_collected: counts },
    producers: [],
    producers_left_out: 0,
    reclaimable_packages: 0,
    backends: [
      {
        backend_id: 'local',
        stored_objects: 5,
        stored_bytes: 6,
        failed_objects: 7,
        reclaimable_objects: 8,
        reclaimable_bytes: 9,
        dead_objects: 10,
        open_uploads: 11,
        open_upload_bytes: 12,
        open_write_sessions: 15,
        open_write_session_bytes: 16,
        free_bytes: 13,
        total_bytes: 14,
        last_verification: run,
      },
    ],
    last_sweep: run,
    last_collection: run,
    last_backup: run,
  };
  const register = new MetricsRegistry();
  createUsageGauges(register)(usage);
  const text = await register.metrics();
  const series = (shown: string) => shown.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  assert.deepEqual(series(mergeMetrics([text, text])), series(text));
});
